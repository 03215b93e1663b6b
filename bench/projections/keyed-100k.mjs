import { defineKeyed } from './keyed.mjs';

export default defineKeyed('keyed_100k', 100_000);
