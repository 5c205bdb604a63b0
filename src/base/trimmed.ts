/**
 * Text without the white space around it, where what counts as such is not JavaScript's notion of it. Letter by
 * letter: a regular expression for the end of a text tries each run of white space in its middle.
 */
export function trimmedOf(text: string, blanks: string): string {
  let start = 0;
  while (start < text.length && blanks.includes(text[start] as string)) start += 1;
  return trimmedAtEnd(text.slice(start), blanks);
}

export function trimmedAtEnd(text: string, blanks: string): string {
  let end = text.length;
  while (end > 0 && blanks.includes(text[end - 1] as string)) end -= 1;
  return text.slice(0, end);
}
