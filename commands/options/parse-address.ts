/** Where a command listens. */
import { EvstoreError } from '../../src/domain/errors.js';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `:9464` and `9464` are of this machine only; another host has to be named, `0.0.0.0:9464` for all. IPv6 in brackets. */
export function parseAddress(text: string): Address {
  const [, inBrackets, plain, digits] = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new EvstoreError('E_USAGE', `'${text}' is not :PORT or HOST:PORT, such as :9464`);
  }
  return { host: inBrackets || plain || '127.0.0.1', port };
}
