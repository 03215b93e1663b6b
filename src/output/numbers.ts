/** Numbers for people: `209,048`. */
export function groupDigits(value: number): string {
  return value.toLocaleString('en-US');
}
