/** Measures text in terminal cells, and cuts it to a width. */
import stringWidth from 'string-width';

const graphemes = new Intl.Segmenter();

export function measureText(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : stringWidth(text);
}

/** Cuts between graphemes, with an ellipsis for what is missing. */
export function cutText(text: string, width: number, unicode = true): string {
  if (measureText(text) <= width) return text;
  const ellipsis = unicode ? '…' : '...';
  let room = width - measureText(ellipsis);
  let kept = '';
  for (const { segment } of graphemes.segment(text)) {
    room -= measureText(segment);
    if (room < 0) break;
    kept += segment;
  }
  return kept + ellipsis;
}

export function padText(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const gap = ' '.repeat(Math.max(0, width - measureText(text)));
  return side === 'left' ? text + gap : gap + text;
}
