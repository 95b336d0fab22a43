/** One demand of a selector. */
export interface Requirement {
  readonly key: string;
  readonly operator: '=' | '!=' | 'exists' | 'absent';
  readonly value: string;
}

/** Reads `a=b,c!=d,e,!f`, or says what is wrong with it. */
export function parseSelector(text: string): readonly Requirement[] | { readonly problem: string } {
  const found = text.split(',').map((part) => parseRequirement(part.trim()));
  return found.find((each) => 'problem' in each) ?? found.filter((each) => 'operator' in each);
}

function parseRequirement(text: string): Requirement | { readonly problem: string } {
  const match = /^(!?)([^=!\s]+)\s*(?:(==?|!=)\s*(.*))?$/.exec(text);
  const [, not, key, operator, value = ''] = match ?? [];
  if (key === undefined || (not === '!' && operator !== undefined)) {
    return { problem: `"${text}" is none of key=value, key!=value, key and !key` };
  }
  if (operator === undefined) return { key, operator: not === '!' ? 'absent' : 'exists', value };
  return { key, operator: operator === '!=' ? '!=' : '=', value };
}

/** Whether a value (undefined when there is none) is as demanded. */
export function holds({ operator, value }: Requirement, found: string | undefined): boolean {
  switch (operator) {
    case '=':
      return found === value;
    case '!=':
      return found !== value;
    case 'exists':
      return found !== undefined;
    case 'absent':
      return found === undefined;
  }
}
