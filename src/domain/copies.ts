/** The copies of evstore that one project meets. */
export interface Copies {
  /** The version of the program that runs. */
  readonly program: string;
  /** Null where the project has none: then its code imports none either. */
  readonly project: { readonly version: string; readonly folder: string } | null;
}
