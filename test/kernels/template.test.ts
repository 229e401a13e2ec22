// biome-ignore-all lint/suspicious/noTemplateCurlyInString: kernel files hold ${…} of their own
import { describe, expect, it } from 'vitest';
import { type Definitions, expandKernel } from '../../src/kernels/template.js';

/** The lines of an expanded text without indentation or blank lines. */
const lines = (source: string, definitions: Definitions = {}): string[] =>
  expandKernel(source, definitions)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

const value = (expression: string, definitions: Definitions = {}): string | undefined =>
  lines(`\${${expression}}`, definitions)[0];

describe('expressions', () => {
  it.each([
    ['2 + 3 * 4', '14'],
    ['(2 + 3) * 4', '20'],
    ['7 / 2', '3'],
    ['-7 / 2', '-3'],
    ['7 % 4', '3'],
    ['2 - 3 - 4', '-5'],
    ['24 / 4 / 2', '3'],
    ['1 < 2', '1'],
    ['2 <= 1', '0'],
    ['3 == 3 && 2 != 3', '1'],
    ['0 || 1 && 0', '0'],
    ['!(1 > 2)', '1'],
    ['!0 + 1', '2'],
    ['-(1 + 2)', '-3'],
    ['2--1', '3'],
    ['1 + 1 == 2', '1'],
  ])('%s is %s', (expression, want) => {
    expect(value(expression)).toBe(want);
  });

  it('calculates with definitions, and with true as 1 and false as 0', () => {
    expect(value('N * (H + 1) - 1', { N: 2, H: 4 })).toBe('9');
    expect(value('YES + NO', { YES: true, NO: false })).toBe('1');
  });

  it('inserts text as it is, but does not calculate with it', () => {
    expect(value('TYPE', { TYPE: 'array<f32>' })).toBe('array<f32>');
    expect(() => value('TYPE + 1', { TYPE: 'f32' })).toThrow(/text 'TYPE' in a calculation/);
  });

  it('names what is not defined', () => {
    expect(() => value('N + M', { N: 1 })).toThrow(/'M' is not defined in 'N \+ M'/);
    expect(() => value('M')).toThrow(/'M' is not defined/);
  });

  it.each([
    ['1 +', /ends too early/],
    ['(1 + 2', /'\)' expected/],
    ['1 2', /'2' is unexpected/],
    ['1 + 2)', /'\)' is unexpected/],
    ['1 ? 2', /cannot read ' \? 2'/],
    ['', /ends too early/],
  ])('refuses to read %j', (expression, message) => {
    expect(() => value(expression)).toThrow(message);
  });
});

describe('#repeat', () => {
  it('writes its lines once a round, with the number of the round', () => {
    expect(lines('#repeat i N\nlet x${i} = ${i * i};\n#endrepeat', { N: 3 })).toEqual([
      'let x0 = 0;',
      'let x1 = 1;',
      'let x2 = 4;',
    ]);
  });

  it('nests, and an inner count may depend on the outer round', () => {
    const source = '#repeat i N\n  #repeat j i + 1\n  s${i}_${j}\n  #endrepeat\n  end${i}\n#endrepeat';
    expect(lines(source, { N: 2 })).toEqual(['s0_0', 'end0', 's1_0', 's1_1', 'end1']);
  });

  it('writes nothing for no rounds', () => {
    expect(lines('before\n#repeat i N\nx${M}\n#endrepeat\nafter', { N: 0 })).toEqual(['before', 'after']);
  });

  it('ends the scope of its name', () => {
    expect(() => lines('#repeat i 2\n#endrepeat\n${i}')).toThrow(/'i' is not defined/);
  });

  it('names the one that is not closed', () => {
    expect(() => lines('#repeat row 2\nx')).toThrow(/#repeat row has no #endrepeat/);
    expect(() => lines('#repeat i 2\n#repeat j 2\nx\n#endrepeat')).toThrow(/#repeat i has no #endrepeat/);
  });
});

describe('#if', () => {
  const source = '#if ${A}\na\n#elif ${B > 1}\nb\n#else\nc\n#endif\nend';

  it('keeps the first branch that holds', () => {
    expect(lines(source, { A: true, B: 2 })).toEqual(['a', 'end']);
    expect(lines(source, { A: false, B: 2 })).toEqual(['b', 'end']);
    expect(lines(source, { A: false, B: 1 })).toEqual(['c', 'end']);
  });

  it('nests in itself and in a repeat', () => {
    const nested =
      '#repeat i 4\n#if ${i % 2 == 0}\n#if ${i == ODD - 1}\ntwo\n#else\neven${i}\n#endif\n#else\nodd${i}\n#endif\n#endrepeat';
    expect(lines(nested, { ODD: 3 })).toEqual(['even0', 'odd1', 'two', 'odd3']);
  });

  it('may hold a repeat', () => {
    const holding = '#if ${ON}\n#repeat i 2\nx${i}\n#endrepeat\n#else\nnone\n#endif';
    expect(lines(holding, { ON: true })).toEqual(['x0', 'x1']);
    expect(lines(holding, { ON: false })).toEqual(['none']);
  });
});

it('leaves comments out, also where they hold what would not be read', () => {
  expect(lines('// ${undefined name} #repeat\nlet x = 1;\n  // more\n')).toEqual(['let x = 1;']);
});
