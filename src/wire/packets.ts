/** Every packet of the protocol: what to import from elsewhere. */
export * from "./packet_layouts.ts";
export * from "./packets_call.ts";
export * from "./packets_message.ts";
