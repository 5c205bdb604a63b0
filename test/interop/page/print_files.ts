/** Prints the files of the page as JSON: run by another runtime, it shows what the page is there. */
import { pageFiles } from "../../../src/admin/page/files.ts";

console.log(JSON.stringify(pageFiles()));
