import { defineKeyed } from './keyed.mjs';

export default defineKeyed('keyed_1m', 1_000_000);
