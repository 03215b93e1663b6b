/** What a text may be that is no event and no correlation id. */
import type { ErrorFacts } from '../domain/errors.js';
import { shellWord } from '../domain/shell-word.js';
import type { Store } from '../store/store.js';

/** Returns undefined when it is nothing that the store has. */
export async function findMeant({ log }: Store, text: string): Promise<ErrorFacts | undefined> {
  const [, streamId = text, version] = /^(.+)[@ ](\d+)$/.exec(text) ?? [];
  for (const [name, at] of [[text], [streamId, version]] as const) {
    for await (const { events } of log.readStream(name, { limit: 1 })) {
      if (events.length === 0) continue;
      const range = at === undefined ? '' : ` --from-version ${at} --to-version ${at}`;
      return {
        why: at === undefined ? 'It is the name of a stream.' : `It is a version of the stream ${name}.`,
        next: `evstore read ${shellWord(name)}${range}`,
        details: { streamId: name },
      };
    }
  }
  const [stream] = await log.streams({ prefix: text, limit: 1 });
  if (stream === undefined) return undefined;
  return {
    why: `The names of streams such as ${stream.streamId} begin with it.`,
    next: `evstore streams --prefix ${shellWord(text)}`,
    details: { prefix: text },
  };
}
