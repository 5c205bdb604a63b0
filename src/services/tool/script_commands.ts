/**
 * `ctdb-event script list|enable|disable`: what is done to the files of a component, without its daemon. Scripts that
 * come with CTDB lie in a directory of data, and are enabled by a link to them in the directory of the component;
 * scripts of others lie there themselves, and are enabled by their permissions.
 */
import { EINVAL, EIO, ENOENT, errnoOf } from "../../base/errno.ts";
import type { ScriptFiles } from "../../platform/types/script_files.ts";
import { listScripts, type Script, setScriptEnabled } from "../scripts/script_directory.ts";
import type { EventToolHost } from "./event_tool_host.ts";

const ENABLED = "*";
const DISABLED = " ";

/** The result of each command is an errno or 0. */
export function listCommand(host: EventToolHost, component: string): number {
  const { files, out, err } = host;
  const data = `${host.dataDirectory}/events/${component}`;
  const real = files.realPath(data);
  if (!real.ok) {
    if (real.error.code === "ENOENT") {
      err(`Unable to find event script installation directory: ${data}\n`);
    }
    return errnoOf(real.error);
  }
  const provided = listScripts(files, real.value);
  const local = listScripts(files, directoryOf(host, component));
  for (const found of [provided, local]) {
    // Nothing need be provided: small installations have all in the other directory.
    if (found.ok || (found === provided && found.error === ENOENT)) continue;
    err(`Command script list finished with result=${found.error}\n`);
    return found.error;
  }
  const offered = provided.ok ? provided.value : [];
  const present = local.ok ? local.value : [];
  const linked = new Set<Script>();
  const ours = offered.map((script) => {
    const link = present.find(({ name }) => name === script.name);
    const enabled = link !== undefined && leadsTo(files, link, script);
    if (enabled) linked.add(link);
    return { name: script.name, enabled, provided: true };
  });
  const others = present
    .filter((script) => !linked.has(script))
    .map(({ name, enabled }) => ({ name, enabled, provided: false }));
  if (host.facts !== undefined) {
    host.facts({ component, scripts: [...ours, ...others] });
    return 0;
  }
  const lines = (scripts: typeof ours) =>
    scripts.map(({ name, enabled }) => `${enabled ? ENABLED : DISABLED} ${name}\n`).join("");
  const gap = ours.length > 0 && others.length > 0 ? "\n" : "";
  out(`${lines(ours)}${gap}${lines(others)}`);
  return 0;
}

export function enableCommand(host: EventToolHost, component: string, script: string): number {
  const { files, out } = host;
  const path = `${directoryOf(host, component)}/${script}.script`;
  const kind = files.kindOf(path);
  if (kind.ok) {
    if (kind.value === "link") return 0;
    if (kind.value === "file") return change(host, component, script, true);
    out(`Script ${path} is not a file or a link\n`);
    return EINVAL;
  }
  if (kind.error.code !== "ENOENT") {
    out(`Script ${path} does not exist\n`);
    return EINVAL;
  }
  const provided = files.realPath(`${host.dataDirectory}/events/${component}/${script}.script`);
  if (!provided.ok) {
    if (provided.error.code === "ENOENT") {
      out(`Script ${script} does not exist in ${component}\n`);
    }
    return errnoOf(provided.error);
  }
  if (files.makeLink(provided.value, path).ok) return 0;
  out(`Failed to create symlink ${path}\n`);
  return EIO;
}

export function disableCommand(host: EventToolHost, component: string, script: string): number {
  const { files, out } = host;
  const path = `${directoryOf(host, component)}/${script}.script`;
  const kind = files.kindOf(path);
  if (!kind.ok) return 0;
  if (kind.value === "file") return change(host, component, script, false);
  if (kind.value !== "link") {
    out(`Script ${path} is not a file or a link\n`);
    return EINVAL;
  }
  if (files.remove(path).ok) return 0;
  out(`Failed to remove symlink ${path}\n`);
  return EIO;
}

function change(host: EventToolHost, component: string, script: string, enable: boolean): number {
  const result = setScriptEnabled(host.files, directoryOf(host, component), script, enable);
  if (result === EINVAL) host.out(`Script ${script} is invalid in ${component}\n`);
  if (result === ENOENT) host.out(`Script ${script} does not exist in ${component}\n`);
  return result;
}

function leadsTo(files: ScriptFiles, link: Script, script: Script): boolean {
  const target = files.readLink(link.path);
  return target.ok && target.value === script.path;
}

function directoryOf(host: EventToolHost, component: string): string {
  return `${host.etcDirectory}/events/${component}`;
}
