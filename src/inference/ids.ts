/** Which names and values are data about one thing, so that types do not list them: ids, days, persons. */

const ids = [
  /^\d+$/,
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
  /^\d{4}-\d\d(?:-\d\d.*)?$/,
  /^(?=.*\d)[0-9a-f]{16,}$/i,
  /^(?=.*\d)[0-9A-Za-z_-]{20,}$/,
  /@.*\./,
];
const longestLooked = 128;

/** Returns true for the key of a map: the objects it is in have other keys each time. Longer keys are not names either. */
export function isIdKey(key: string): boolean {
  return key.length > longestLooked || ids.some((pattern) => pattern.test(key));
}

/** `Order-42` and `Order-7`: keys, or values, that differ in the number at their end. */
export function areNumbered(texts: readonly string[]): boolean {
  const stems = new Set(texts.map((text) => /^(\D*)\d+$/.exec(text)?.[1]));
  return !stems.has(undefined) && stems.size === 1;
}

const idName =
  /(?:^|[_\W])(?:id|ids|uuid|guid|ulid|key|ref|reference|token|hash|digest|number|no|nr|serial|sku|isbn|iban|bic|email|mail|phone|mobile|fax|url|uri|link|href|path|file|ip|host|date|day|time|at|on|timestamp|birthday|deadline|year|month|postcode|zip|lat|lng|address|street|city|town)$/;
const personName =
  /(?:^|[_\W])(?:name|names|first|last|firstname|lastname|surname|fullname|forename|nickname|username|login|user|person|people|author|owner|customer|client|patient|member|employee|staff|contact|recipient|sender|assignee|reviewer|approver|operator|actor|agent|resource|signatory|applicant|driver|by|from|to)$/;
const proseName =
  /(?:^|[_\W])(?:text|comment|comments|note|notes|description|message|subject|title|summary|body|remark|remarks|caption|query)$/;

/** Returns whether a field of this name holds ids, dates, names of persons or prose: its few values are not all there are. */
export function isOpenName(name: string): boolean {
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  return idName.test(words) || personName.test(words) || proseName.test(words);
}

/** Returns whether the values are words, as those of a choice between a few, and no ids or dates. */
export function areChoices(values: readonly string[]): boolean {
  if (values.some((value) => !/^[\p{L}][\p{L}\p{N}]*(?:[ _./:+-][\p{L}\p{N}]+){0,7}$/u.test(value))) return false;
  if (values.some(isIdKey)) return false;
  // More than half of them end with a number: they are numbered things, as task-4 is.
  return values.filter((value) => /\d$/.test(value)).length * 2 <= values.length;
}
