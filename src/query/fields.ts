/** The shape of payloads. */
import type { JsonText } from '../domain/event.js';

export interface FieldSummary {
  readonly name: string;
  /** Types of JSON, in the order in which they were met: `string`, `number`, `boolean`, `null`, `object`, `array`. */
  readonly types: readonly string[];
  /** Missing in some of the payloads. */
  readonly optional: boolean;
}

/** Returns the members of the payloads that are objects, in the order in which they were met. */
export function describeFields(payloads: readonly JsonText[]): readonly FieldSummary[] {
  const objects = payloads.map((text): unknown => JSON.parse(text)).filter(isObject);
  const fields = new Map<string, { readonly types: Set<string>; seen: number }>();
  for (const object of objects) {
    for (const [name, value] of Object.entries(object)) {
      const field = fields.get(name) ?? { types: new Set(), seen: 0 };
      field.types.add(typeOf(value));
      field.seen += 1;
      fields.set(name, field);
    }
  }
  return [...fields].map(([name, { types, seen }]) => ({
    name,
    types: [...types],
    optional: seen < objects.length,
  }));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
