/** Structs of the controls about tunables. */
import { countedString, struct, tuple, u32Codec } from "../codec.ts";

export const tunableValue = struct({ value: u32Codec, name: countedString });
export const TUNABLE_COUNT = 62;
export const tunableList = tuple(u32Codec, TUNABLE_COUNT);
