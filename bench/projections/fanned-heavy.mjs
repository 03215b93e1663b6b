import { defineFanned } from './fanned.mjs';

export default defineFanned('fanned_heavy', 30);
