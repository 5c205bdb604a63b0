/** Every packet of the protocol: what to import from elsewhere. */

export * from "./packets/call.ts";
export * from "./packets/layouts.ts";
export * from "./packets/message.ts";
