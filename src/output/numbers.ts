/** Numbers for people. */
export { formatBytes, groupDigits } from '../domain/numbers.js';
