import { expect, test } from "bun:test";
import { MemoryFiles } from "../../test/support/memory_files.ts";
import { must } from "../../test/support/must.ts";
import { readApplianceConfig } from "./appliance_conf.ts";
import { resolvePaths } from "./paths.ts";
import { problemText } from "./problems.ts";

const paths = must(resolvePaths({ CTDB_TEST_MODE: "yes", CTDB_BASE: "/n" }, "/opt"));
const FILE = "/n/ctdb-appliance.conf";

function read(text: string) {
  const files = new MemoryFiles({ [FILE]: text, "/etc/tokens": "", "/etc/c": "", "/etc/k": "" });
  const { config, problems } = readApplianceConfig(files, paths);
  const told = problems.map((problem) =>
    `${problem.severity} ${problemText(problem)}`.replace(`"${FILE}": `, ""),
  );
  return { config, told };
}

test("[admin] and [journal] are off and local without a file", () => {
  expect(read("")).toEqual({
    config: {
      announcedSambaVersion: undefined,
      nodeTransport: "tcp",
      tlsDirectory: "/n/tls",
      admin: {
        enabled: false,
        listen: undefined,
        tokenFile: undefined,
        tlsCertificate: undefined,
        tlsKey: undefined,
        tlsClientCa: undefined,
        actions: false,
        webhooks: [],
        metrics: true,
      },
      journal: { directory: "/n/var/journal", keepDays: 30, keepMegabytes: 512 },
    },
    told: [],
  });
});

test("[admin] and [journal] are read whole", () => {
  const { config, told } = read(`[admin]
enabled = yes
listen = [::1]:8443
token file = /etc/tokens
tls certificate = /etc/c
tls key = /etc/k
actions = true
webhooks = http://10.0.0.9/hook  https://example.org:8443/a?b
metrics = no
[journal]
directory = /srv/journal
keep days = 7
keep megabytes = 16
`);
  expect(told).toEqual([]);
  expect(config).toMatchObject({
    admin: {
      enabled: true,
      listen: { address: "::1", port: 8443 },
      tokenFile: "/etc/tokens",
      tlsCertificate: "/etc/c",
      tlsKey: "/etc/k",
      actions: true,
      webhooks: ["http://10.0.0.9/hook", "https://example.org:8443/a?b"],
      metrics: false,
    },
    journal: { directory: "/srv/journal", keepDays: 7, keepMegabytes: 16 },
  });
});

test("[admin] listen is an address and a port", () => {
  const tokens = "token file = /etc/tokens\n";
  const listen = (value: string) => read(`[admin]\n${tokens}listen = ${value}\n`);
  expect(listen("127.0.0.1:80").config.admin.listen).toEqual({ address: "127.0.0.1", port: 80 });
  for (const wrong of [
    "80",
    ":80",
    "localhost:80",
    "127.0.0.1",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "::1:80",
    "[::1]",
    "[::1]:x",
    "10.0.0.300:80",
  ]) {
    const expected = "error line 3: [admin] listen: expected ADDRESS:PORT or [ADDRESS]:PORT";
    expect([wrong, listen(wrong).told]).toEqual([wrong, [`${expected}, got "${wrong}"`]]);
  }
});

test("[admin] names every combination that cannot be, and warns of files that are not there", () => {
  const told = (text: string) => read(`[admin]\n${text}\n`).told;
  expect(told("listen = 127.0.0.1:80")).toEqual([
    'error [admin] listen: expected "token file" or "tls client ca" beside it',
  ]);
  expect(told("tls key = /etc/k")).toEqual([
    'error [admin] tls certificate: expected both of "tls certificate" and "tls key", got one',
  ]);
  expect(told("tls client ca = /etc/c")).toEqual([
    'error [admin] tls client ca: expected "tls certificate" and "tls key" beside it',
  ]);
  expect(told("token file = /no/such")).toEqual([
    'warning [admin] token file: expected a file that exists, got "/no/such"',
  ]);
  expect(told(`webhooks = ftp://x/`)).toHaveLength(1);
  expect(told(`webhooks = ${"http://x/ ".repeat(17)}`)).toHaveLength(1);
});

test("[journal] keeps something, and not for ever", () => {
  const told = (text: string) => read(`[journal]\n${text}\n`).told[0];
  expect(told("keep days = 0")).toContain("expected a whole number of days from 1 to 3650");
  expect(told("keep days = 3651")).toContain("expected a whole number of days");
  expect(told("keep megabytes = 15")).toContain("expected a whole number of megabytes from 16");
  expect(told("keep megabytes = many")).toContain("expected a whole number of megabytes");
});
