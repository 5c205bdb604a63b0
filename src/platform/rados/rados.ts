/**
 * A lock on an object of Ceph, over librados as it is installed: opened only when somebody asks for it. Calls block, a
 * cluster that does not answer holds them for minutes: for a process that does nothing else.
 */
import { openLibrary } from "#foreign";
import { errnoText } from "../../base/errno.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { cText, nativeMemory } from "../libc/libc.ts";
import type { ForeignCalls, ForeignFunctions } from "../types/foreign.ts";

const LIBRARY = "librados.so.2";

/** As rados/librados.h declares them: a cluster and its io context are pointers, 0 is success, −errno a failure. */
const FUNCTIONS = {
  rados_create2: [["address", "bytes", "bytes", "i64"], "i32"],
  rados_conf_read_file: [["address", "address"], "i32"],
  rados_connect: [["address"], "i32"],
  rados_ioctx_create: [["address", "bytes", "address"], "i32"],
  rados_ioctx_set_namespace: [["address", "bytes"], "void"],
  rados_get_instance_id: [["address"], "i64"],
  rados_service_register: [["address", "bytes", "bytes", "bytes"], "i32"],
  rados_lock_exclusive: [["address", "bytes", "bytes", "bytes", "bytes", "address", "u32"], "i32"],
  rados_unlock: [["address", "bytes", "bytes", "bytes"], "i32"],
  rados_ioctx_destroy: [["address"], "void"],
  rados_shutdown: [["address"], "void"],
} as const satisfies ForeignFunctions;

/** What is there is renewed, or taken again. */
const RENEW = 1;

export interface RadosPlace {
  readonly cluster: string;
  readonly user: string;
  readonly pool: string;
  readonly namespace: string | undefined;
  readonly object: string;
}

export interface RadosLockNames {
  readonly name: string;
  readonly cookie: string;
  readonly description: string;
  /** 0: until it is unlocked. */
  readonly durationSec: number;
}

export class RadosCluster {
  readonly #rados: ForeignCalls<typeof FUNCTIONS>;
  readonly #place: RadosPlace;
  readonly #cluster: number;
  readonly #context: number;
  /** A struct timeval. */
  readonly #duration = nativeMemory(16);

  private constructor(
    rados: ForeignCalls<typeof FUNCTIONS>,
    place: RadosPlace,
    cluster: number,
    context: number,
  ) {
    this.#rados = rados;
    this.#place = place;
    this.#cluster = cluster;
    this.#context = context;
  }

  /** Connects with the configuration and keys at the library's own places. */
  static connect(place: RadosPlace): Result<RadosCluster> {
    let rados: ForeignCalls<typeof FUNCTIONS>;
    try {
      rados = openLibrary(LIBRARY, FUNCTIONS);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return err(`cannot use ${LIBRARY}, is the package librados2 installed? (${reason})`);
    }
    const { cluster: name, user, pool, namespace } = place;
    const handle = nativeMemory(8);
    const created = rados.rados_create2(handle.address, cText(name), cText(user), 0);
    if (created < 0) {
      return err(`failed to initialise Ceph cluster ${name} as ${user} - (${reasonOf(created)})`);
    }
    const cluster = pointerIn(handle.view);
    const failed = (what: string, status: number) => {
      rados.rados_shutdown(cluster);
      return err(`${what} - (${reasonOf(status)})`);
    };
    const read = rados.rados_conf_read_file(cluster, 0);
    if (read < 0) return failed("failed to parse Ceph cluster config", read);
    const connected = rados.rados_connect(cluster);
    if (connected < 0) {
      return failed(`failed to connect to Ceph cluster ${name} as ${user}`, connected);
    }
    const opened = rados.rados_ioctx_create(cluster, cText(pool), handle.address);
    if (opened < 0) return failed(`failed to create Ceph ioctx for pool ${pool}`, opened);
    const context = pointerIn(handle.view);
    if (namespace !== undefined) rados.rados_ioctx_set_namespace(context, cText(namespace));
    return ok(new RadosCluster(rados, place, cluster, context));
  }

  /** Shows this process among the cluster's services; the instance's number is appended to `daemon`. */
  register(service: string, daemon: string): Result<void> {
    const instance = this.#rados.rados_get_instance_id(this.#cluster);
    const id = `${daemon}:0x${instance.toString(16).padStart(16, "0")}`;
    const status = this.#rados.rados_service_register(
      this.#cluster,
      cText(service),
      cText(id),
      cText(""),
    );
    return status < 0 ? err(reasonOf(status)) : ok(undefined);
  }

  /** Takes the lock, or renews it. The error is the errno. */
  lock(names: RadosLockNames, renew: boolean): Result<void, number> {
    this.#duration.view.setBigInt64(0, BigInt(names.durationSec), true);
    const status = this.#rados.rados_lock_exclusive(
      this.#context,
      cText(this.#place.object),
      cText(names.name),
      cText(names.cookie),
      cText(names.description),
      names.durationSec === 0 ? 0 : this.#duration.address,
      renew ? RENEW : 0,
    );
    return status < 0 ? err(-status) : ok(undefined);
  }

  unlock({ name, cookie }: RadosLockNames): Result<void, number> {
    const status = this.#rados.rados_unlock(
      this.#context,
      cText(this.#place.object),
      cText(name),
      cText(cookie),
    );
    return status < 0 ? err(-status) : ok(undefined);
  }

  close(): void {
    this.#rados.rados_ioctx_destroy(this.#context);
    this.#rados.rados_shutdown(this.#cluster);
  }
}

function pointerIn(view: DataView): number {
  return Number(view.getBigUint64(0, true));
}

function reasonOf(status: number): string {
  return errnoText(-status);
}
