import { defineFanned } from './fanned.mjs';

export default defineFanned('fanned_light', 0);
