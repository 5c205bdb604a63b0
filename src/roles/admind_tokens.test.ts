import { expect, test } from "bun:test";
import { CHANGED_TOKENS, changeTokens } from "../../test/contract/token_file.ts";
import { TemporaryDirectory } from "../../test/support/temp_dir.ts";

test("TokenFile.tokens() sees what happens to a file in the moment after it was read", () => {
  using directory = new TemporaryDirectory("tokens");
  expect(changeTokens(directory.file("tokens"))).toEqual(CHANGED_TOKENS);
});
