/** The events of public addresses, as whoever runs event scripts takes them (docs/protocol.md, "Events"). */

export interface AddressEventArguments {
  readonly takeip: readonly [networkInterface: string, address: string, prefixLength: string];
  readonly releaseip: readonly [networkInterface: string, address: string, prefixLength: string];
  readonly updateip: readonly [from: string, to: string, address: string, prefixLength: string];
}

/**
 * Runs one; `done` comes once, later, with 0 or an errno number. A hung takeip or releaseip counts as a success: whether
 * the address is there is asked of the kernel.
 */
export type AddressEvents = <N extends keyof AddressEventArguments>(
  event: N,
  args: AddressEventArguments[N],
  done: (status: number) => void,
) => void;
