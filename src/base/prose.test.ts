import { expect, test } from "bun:test";
import { proseText } from "./prose.ts";

test("proseText() wraps paragraphs, keeps screens, and takes backticks away", () => {
  const blocks = [
    "The state is `OK` or it is not.",
    { screen: "# ctdb pnn\n0\n" },
    { terms: [["-v", "Says more than it would."]] as const },
    { heading: "Then" },
  ];
  expect(proseText(blocks, 22)).toBe(
    "  The state is OK or\n  it is not.\n\n" +
      "    # ctdb pnn\n    0\n\n" +
      "  -v\n      Says more than\n      it would.\n\n" +
      "  Then\n",
  );
});

test("proseText() gives a word that is longer than the line one for itself", () => {
  expect(proseText(["a b persistent_database_directory c"], 1)).toBe(
    "  a b\n  persistent_database_directory\n  c\n",
  );
});
