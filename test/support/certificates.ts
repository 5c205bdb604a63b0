/** A certificate authority of a test, made with openssl: certificates for servers and clients on 127.0.0.1. */
import { writeFileSync } from "node:fs";
import { runCommand } from "./command.ts";
import type { TemporaryDirectory } from "./temp_dir.ts";

export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

const ADDRESS = "subjectAltName=IP:127.0.0.1,DNS:localhost";

export class CertificateAuthority {
  readonly certificate: string;
  readonly #key: string;
  readonly #directory: TemporaryDirectory;
  #serial = 0;

  private constructor(directory: TemporaryDirectory, name: string) {
    this.#directory = directory;
    this.certificate = directory.file(`${name}.crt`);
    this.#key = directory.file(`${name}.key`);
  }

  static async make(directory: TemporaryDirectory, name: string): Promise<CertificateAuthority> {
    const made = new CertificateAuthority(directory, name);
    await openssl(
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-subj", `/CN=${name}`, "-days", "2", "-keyout", made.#key, "-out", made.certificate],
    );
    return made;
  }

  /** For servers and clients. An expired one ended a day ago. With a
   * CommonName none of them is a client's of etcd's gateway, where logins are wanted. */
  async issue(
    name: string,
    { isExpired = false, hasCommonName = false } = {},
  ): Promise<Certificate> {
    const file = (suffix: string) => this.#directory.file(`${name}.${suffix}`);
    writeFileSync(file("ext"), `${ADDRESS}\nextendedKeyUsage=serverAuth,clientAuth\n`);
    await openssl(
      ...["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...[
        "-subj",
        `/${hasCommonName ? "CN" : "O"}=${name}`,
        "-keyout",
        file("key"),
        "-out",
        file("csr"),
      ],
    );
    await openssl(
      ...["x509", "-req", "-in", file("csr"), "-CA", this.certificate, "-CAkey", this.#key],
      ...[
        "-set_serial",
        `${++this.#serial}`,
        "-extfile",
        file("ext"),
        "-days",
        isExpired ? "-1" : "2",
        "-out",
        file("crt"),
      ],
    );
    return { certificate: file("crt"), key: file("key") };
  }
}

export async function openssl(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runCommand(["openssl", ...args]);
  if (code !== 0) throw new Error(`openssl ${args.join(" ")}: ${stderr}`);
}
