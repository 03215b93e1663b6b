/**
 * Hashes the source of an export: its statement, and what that uses, in its own file and in files it imports. Packages are
 * left out, and so is what is found only while the code runs, such as `require` and `import()`.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolveImport } from '../../config/import-module.js';
import type { SourceHash } from '../../domain/code-identity.js';
import { type Imported, readModule, type SourceModule, type Unit } from './source-module.js';
import { form } from './syntax.js';

/** Reads each file once. */
export class SourceReader {
  readonly #modules = new Map<string, Promise<SourceModule>>();

  /** Returns undefined when the source cannot be read, parsed or followed. @param file absolute */
  async hash(file: string, name: string): Promise<SourceHash | undefined> {
    try {
      const start = await this.#findExport(await this.#read(file), name);
      if (start?.kind !== 'local' && start?.kind !== 'module') return undefined;
      const slice = new Slice((from, imported) => this.#follow(from, imported));
      await slice.add(start);
      return await slice.hash();
    } catch {
      return undefined;
    }
  }

  #read(file: string): Promise<SourceModule> {
    const [, language] = /\.[cm]?(ts|js)$/.exec(file) ?? [];
    if (language !== 'ts' && language !== 'js') throw new SyntaxError(`${file} is in no language that is read here`);
    const found = this.#modules.get(file) ?? readFile(file, 'utf8').then((text) => readModule(file, text, language));
    this.#modules.set(file, found);
    return found;
  }

  /** Modules may export in ways that only show when they run: then all of them counts. */
  async #findExport(module: SourceModule, name: string, seen: Set<string> = new Set()): Promise<Target> {
    return (await this.#search(module, name, seen)) ?? { kind: 'module', module };
  }

  /** @param seen where it was searched for: modules may export each other's names in a circle */
  async #search(module: SourceModule, name: string, seen: Set<string>): Promise<Target | undefined> {
    const place = `${module.file} ${name}`;
    if (seen.has(place)) return undefined;
    seen.add(place);
    const exported = module.exports.get(name);
    if (exported !== undefined) {
      if ('specifier' in exported) return this.#follow(module, exported, seen);
      const imported = module.imports.get(exported.local);
      if (imported !== undefined) return this.#follow(module, imported, seen);
      return { kind: 'local', module, name: exported.local };
    }
    for (const specifier of module.stars) {
      const all = await this.#follow(module, { specifier, name: '*' });
      const found = all.kind === 'module' ? await this.#search(all.module, name, seen) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #follow(from: SourceModule, { specifier, name }: Imported, seen?: Set<string>): Promise<Target> {
    const file = await resolveImport(from.file, specifier);
    if (file === null) return { kind: 'outside', text: `${specifier} ${name}` };
    if (file.endsWith('.json')) {
      const data: unknown = JSON.parse(await readFile(file, 'utf8'));
      return { kind: 'outside', text: `${sha256(JSON.stringify(data))} ${name}` };
    }
    const module = await this.#read(file);
    return name === '*' ? { kind: 'module', module } : this.#findExport(module, name, seen);
  }
}

/** What a name leads to. */
type Target =
  | { readonly kind: 'local'; readonly module: SourceModule; readonly name: string }
  | { readonly kind: 'module'; readonly module: SourceModule }
  /** In a package, or data. */
  | { readonly kind: 'outside'; readonly text: string };

/** Statements that belong together, of one or more modules. */
class Slice {
  readonly #follow: (from: SourceModule, imported: Imported) => Promise<Target>;
  readonly #units = new Map<SourceModule, Set<Unit>>();
  readonly #complete = new Set<SourceModule>();
  readonly #numbers = new Map<SourceModule, number>();
  readonly #links = new Set<string>();

  constructor(follow: (from: SourceModule, imported: Imported) => Promise<Target>) {
    this.#follow = follow;
  }

  async add(target: Target): Promise<void> {
    if (target.kind === 'outside') return;
    const { module } = target;
    if (target.kind === 'local') return this.#addName(module, target.name);
    if (this.#complete.has(module)) return;
    this.#complete.add(module);
    for (const unit of module.units) await this.#addUnit(module, unit);
    for (const specifier of module.stars) await this.add(await this.#follow(module, { specifier, name: '*' }));
    for (const exported of module.exports.values()) {
      if ('specifier' in exported) await this.add(await this.#follow(module, exported));
    }
  }

  async hash(): Promise<SourceHash> {
    while (await this.#addEffects());
    const modules = [...this.#units].map(([module, taken]) => {
      const units = module.units.filter((unit) => taken.has(unit));
      const declared = units.filter(isDeclaration).map(({ text }) => text);
      // The order of declarations does not matter; of other statements it does.
      const effects = units.filter((unit) => !isDeclaration(unit)).map(({ text }) => text);
      return [this.#numberOf(module), declared.sort(), effects];
    });
    const isTypeScript = [...this.#units.keys()].every(({ language }) => language === 'ts');
    const hash = sha256(JSON.stringify([modules, [...this.#links].sort()]));
    return { hash, language: isTypeScript ? 'ts' : 'js', form };
  }

  async #addName(module: SourceModule, name: string): Promise<void> {
    const imported = module.imports.get(name);
    if (imported === undefined) {
      // An enum or a namespace may be declared in several places.
      for (const unit of module.units) if (unit.declares.includes(name)) await this.#addUnit(module, unit);
      return;
    }
    const target = await this.#follow(module, imported);
    const text = target.kind === 'outside' ? target.text : `${this.#numberOf(target.module)} ${nameOf(target)}`;
    this.#links.add(`${this.#numberOf(module)} ${name} = ${text}`);
    await this.add(target);
  }

  async #addUnit(module: SourceModule, unit: Unit): Promise<void> {
    const units = this.#units.get(module) ?? new Set();
    this.#units.set(module, units);
    this.#numberOf(module);
    if (units.has(unit)) return;
    units.add(unit);
    for (const name of unit.uses) await this.#addName(module, name);
  }

  /** Adds statements that change what is in the slice already. Returns false when there are none. */
  async #addEffects(): Promise<boolean> {
    let added = false;
    for (const [module, units] of [...this.#units]) {
      const declared = new Set([...units].flatMap(({ declares }) => declares));
      for (const unit of module.units) {
        const touched = isDeclaration(unit) ? unit.writes : unit.uses;
        if (units.has(unit) || ![...touched].some((name) => declared.has(name))) continue;
        await this.#addUnit(module, unit);
        added = true;
      }
    }
    return added;
  }

  /** Modules are numbered as they are found, so that a file can get another name. */
  #numberOf(module: SourceModule): number {
    const number = this.#numbers.get(module) ?? this.#numbers.size;
    this.#numbers.set(module, number);
    return number;
  }
}

function isDeclaration({ declares }: Unit): boolean {
  return declares.length > 0;
}

function nameOf(target: Target): string {
  return target.kind === 'local' ? target.name : '*';
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
}
