/** token_file.ts without a test runner, for a runtime that has another one. */
import { changeTokens } from "./token_file.ts";

console.log(JSON.stringify(changeTokens(process.argv[2] as string)));
