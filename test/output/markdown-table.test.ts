import { expect, test } from 'vitest';
import { renderMarkdownTable } from '../../src/output/markdown-table.js';

test('what a store holds is text in a table of Markdown, and no markup', () => {
  const rows = [{ name: 'a|b <img src=x> `c` [d](e) *f*\n| g' }, { name: '' }];
  const columns = [
    { heading: 'Name', text: ({ name }: { name: string }) => name },
    { heading: 'Length', text: ({ name }: { name: string }) => String(name.length), align: 'right' as const },
  ];
  expect(renderMarkdownTable('Two_rows', rows, columns)).toBe(
    '### Two\\_rows\n\n' +
      '| Name | Length |\n| --- | ---: |\n' +
      '| a\\|b &lt;img src=x&gt; \\`c\\` \\[d\\](e) \\*f\\*\\\\u{a}\\| g | 34 |\n|  | 0 |\n\n',
  );
});
