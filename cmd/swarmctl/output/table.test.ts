import { describe, expect, it } from 'vitest';
import { renderSheet } from '../describe/sheet.js';
import { renderTable } from './table.js';

/** Sets the title of a terminal, then clears it. */
const HOSTILE = 'by \u001b]0;owned\u0007\u001b[2Jadmin\r';
const HARMLESS = 'by \ufffd]0;owned\ufffd\ufffd[2Jadmin\ufffd';

describe('what is printed', () => {
  it('keeps to one line per row', () => {
    const pages = [{ heading: 'MESSAGE', text: (text: string) => text }];
    const rows = ['not ready: <html>\r\n  <h1>no</h1>\n', 'next'];
    expect(renderTable(pages, rows)).toBe('MESSAGE\nnot ready: <html> <h1>no</h1>\nnext\n');
  });

  it('does not steer the terminal, in tables and descriptions', () => {
    const columns = [{ heading: 'MESSAGE', text: (row: string) => row }];
    expect(renderTable(columns, [HOSTILE], { headings: false })).toBe(`${HARMLESS}\n`);
    expect(renderSheet([['Message', HOSTILE]])).toBe(`Message:  ${HARMLESS}\n`);
  });

  it('keeps its colours', () => {
    const columns = [{ heading: 'STATE', text: () => '\u001b[32mready\u001b[0m' }];
    expect(renderTable(columns, [0], { headings: false })).toBe('\u001b[32mready\u001b[0m\n');
  });
});
