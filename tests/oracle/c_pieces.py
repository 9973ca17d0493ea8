# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pieces of C."""

import json

from grammar import Ending, Offer, Piece, escaped, renamed, use

# Words of the environment and names of headers (of none that a piece includes) among them: a name of one's own means one's own.
HEADER_NAMES = ('pow', 'log', 'y1', 'link', 'pipe', 'exp', 'sinh', 'dup', 'raise', 'sleep')
NAMES = HEADER_NAMES + ('alpha', 'beta', 'n', 'total', 'twice', 'table', 'width', 'item', 'result_', 'node', 'cell', 'x',
                        'y', 'z', 'k', 'print', 'dump', 'trace', 'watch', 'ptype', 'whatis', 'mainly', 'iff',
                        'structure', 'returned', 'switcher', 'format')
TYPES = ('T', 'Point', 'Pair', 'S', 'Cell', 'Item', 'Node', 'print_t', 'Watch')


def call(name, needed):
    return Offer(f'{name}({needed})')


def function(b, head, body=None, kind='function', name=None, **more):
    """head has @ for the name; its parameter is an int v."""
    name = name or b.fresh()
    term = b.term()
    body = body or b.pick('return v * 2 + %s;', 'int r = 0; for (int i = 0; i < v; i++) { r += %s; } return r;',
                          'if (v > 3) { return %s; } return v;', 'while (v > 100) { v /= 2; } return v - %s;',
                          'switch (v) { case 1: return 7; case 2: { return %s; } default: break; } return v;',
                          'return v > 2 ? %s : v;')
    text = head.replace('@', name) + ' { ' + (body % term.text if '%s' in body else body) + ' }'
    return Piece(kind, text, 'file', (call(name, b.number()),), use(text, term), **more)


def plain_function(b):
    return function(b, b.pick('int @(int v)', 'static int @(int v)', 'int @ (int v)', 'int const @(int v)',
                              'static inline int @(int v)', 'long int @(int v)', 'unsigned @(int v)', 'int (@)(int v)',
                              'extern int @(int v)', 'short @(register int v)'))


def attribute_function(b):
    return function(b, b.pick('__attribute__((noinline)) int @(int v)', 'static __attribute__((unused)) int @(int v)',
                              'int __attribute__((const)) @(int v)', 'int @(__attribute__((unused)) int v)',
                              '__attribute__((noinline, warn_unused_result)) static int @(int v)',
                              '__extension__ int @(int v)', '__inline static int @(int v)'), kind='attribute')


def bracket_attribute_function(b):
    return function(b, b.pick('[[nodiscard]] int @(int v)', '[[deprecated("it\'s {old}")]] static int @(int v)',
                              'int @ [[nodiscard]] (int v)', '[[maybe_unused]] int @([[maybe_unused]] int v)'),
                    kind='[[attribute]]')


def knr_function(b):
    return function(b, b.pick('int @(v) int v;', '@(v) int v;', 'static int @(v) register int v;', 'int\n@(v)\nint v;'),
                    kind='k&r')


def implicit_function(b):
    return function(b, b.pick('@(int v)', 'static @(int v)', '@(v)', 'const @(int v)'), kind='implicit int')


def braces_function(b):
    """Braces and quotes in literals of a body."""
    return function(b, 'int @(int v)', b.pick(
        'char c = \'{\'; return c + v;', 'const char *s = "}{"; return s[v & 1];', "return '\"' + v;",
        "return '\\'' + v;",
        'const char *s = "a; b // c"; return s[0] + v;', "if (v == '}') { return 1; } return 2;",
        '/* } */ return v; // {\n'.replace('// {\n', '/* { */'), 'return strlen("/*") + v;'), kind='braces in literals')


def struct_return_function(b):
    type_, name = b.fresh(TYPES), b.fresh()
    return Piece('struct in return type', b.pick(
        f'struct {type_} {{ int a; int b; }} {name}(int v) {{ struct {type_} s = {{ v, v + 1 }}; return s; }}',
        f'struct {type_} {{ int a, b; }} {name}(v) int v; {{ struct {type_} s = {{ v, v + 1 }}; return s; }}'),
        'file', (Offer(f'{name}({b.number()}).b'),
                 Offer(f'(struct {type_}){{ {b.number()}, {b.number()} }}.a', constant=False)))


def pointer_function(b):
    name, term = b.fresh(), b.term(constant=True)
    return Piece('pointer function', b.pick(
        f'int *{name}(int i) {{ static int a[4] = {{ 1, 2, {term.text}, 4 }}; return a + i; }}',
        f'static int * const {name}(int i) {{ static int a[] = {{ 1, 2, {term.text}, 4 }}; return &a[i]; }}'),
        'file', (Offer(f'*{name}({b.number(0, 3)})'), Offer(f'{name}(0)[2]')), use('', term))


def string_function(b):
    name, text = b.fresh(), b.string()
    return Piece('string function', f'const char *{name}(void) {{ return "{text}"; }}', 'file',
                 (Offer(f'{name}()', 'string'), Offer(f'strlen({name}())', 'long')))


def function_of_function(b):
    name = b.fresh()
    inner = name + '_inner'
    return Piece('function pointer function',
                 f'static int {inner}(int v) {{ return v + 1; }} int (*{name}(int q))(int) {{ return q ? {inner} : 0; }}',
                 'file', (Offer(f'{name}(1)({b.number()})'),))


def array_function(b):
    name = b.fresh()
    head = b.pick('int @(const int *a, int c)', 'int @(int a[static 2], int c)', 'int @(int c, int a[c])',
                  'int @(int a[], int c)')
    turned = head.startswith('int @(int c,')
    values = f'(int[]){{ {b.number()}, {b.number()}, {b.number()} }}'
    arguments = f'3, {values}' if turned else f'{values}, 3'
    return Piece('array function', head.replace('@', name) + ' { int s = 0; while (c) s += a[--c]; return s; }', 'file',
                 (Offer(f'{name}({arguments})'),))


def variadic_function(b):
    name = b.fresh()
    return Piece('variadic', f'int {name}(int c, ...) {{ va_list l; va_start(l, c); int s = 0; while (c--) {{ s += '
                 'va_arg(l, int); } va_end(l); return s; }', 'file', (Offer(f'{name}(2, {b.number()}, {b.number()})'),))


def prototype(b):
    name = b.fresh()
    return Piece('prototype', b.pick(f'int {name}(int);', f'extern int {name}(int v);',
                                     f'int {name}(int) __attribute__((noinline));',
                                     f'static int {name}(int v);') +
                 f' int {b.fresh()}(int v) {{ return {name}(v) + 1; }} ' +
                 f'int {name}(int v) {{ return v * 3; }}', 'file', (call(name, b.number()),))


def define(b):
    name, term = b.fresh(), b.term(constant=True)
    return Piece('#define', b.pick(f'#define {name} {b.number()}', f'#define {name} ({term.text} + 1)',
                                   f'#define {name} \\\n    ({term.text} + 2)', f'# define {name} {term.text}',
                                   f'#define {name} 4 /* it\'s "4" */', f'#define {name} ({term.text}) // don\'t'),
                 'file',
                 (Offer(name, constant=True),), use('', term), whole=True)


def define_function(b):
    name = b.fresh()
    return Piece('#define f()', b.pick(f'#define {name}(v) ((v) * 2)', f'#define {name}(v) ({{ int t = (v); t + 1; }})',
                                       f'#define {name}(v) \\\n  ((v) + \\\n   1)'), 'file',
                 (Offer(f'{name}({b.number()})'),), whole=True)


def conditional(b):
    """It moves with all that it encloses."""
    name, term = b.fresh(), b.term(constant=True)
    inner = b.pick('int @(int v) { return v + %s; }', 'static int @(int v)\n{\n    return v * %s;\n}') % term.text
    other = f'static const char *{name}(int v) {{ return "no"; }}'
    text = b.pick('#if 1\n%s\n#endif', '#ifndef NOSUCH\n%s\n#else\n%s\n#endif', '#ifdef NOSUCH\n%s\n#else\n%s\n#endif',
                  "#if 0\n%s it's not read\n#elif defined(__GNUC__)\n%s\n#endif",
                  '#if !defined(NOSUCH) // {\n%s\n#endif /* } */',
                  '#ifdef NOSUCH\nint old(void) {\n#endif\n%s', '%s\n#ifdef NOSUCH\n}\n#endif')
    live, dead = inner.replace('@', name), other
    first_is_dead = text.startswith(('#ifdef NOSUCH\n%s', '#if 0'))
    both = (dead, live) if first_is_dead else (live, dead)
    return Piece('conditional', text % both[:text.count('%s')], 'file', (call(name, b.number()),), use('', term),
                 whole=True)


def conditional_variable(b):
    name, term = b.fresh(), b.term(constant=True)
    return Piece('conditional declaration', f'#ifdef NOSUCH\nint {name} = 1;\n#else\nint {name} = {term.text};\n#endif',
                 'either',
                 (Offer(name),), use('', term), whole=True)


def include(b):
    """Whoever includes anything has no other headers: all that the pieces want."""
    names = ['stdio.h', 'stdlib.h', 'string.h', 'stdarg.h', 'stddef.h', 'stdint.h', 'iso646.h']
    b.rng.shuffle(names)
    return Piece('#include', '\n'.join(b.pick('#include <%s>', '#include "%s"', '# include <%s>',
                                              "#include <%s> // don't",
                                              '#include<%s>') % name for name in names), 'file', (), whole=True)


def variable(b):
    name, term = b.fresh(), b.term(constant=True)
    text = b.pick('int @ = %s;', 'static int @ = %s;', 'int const @ = %s + 1;', 'volatile int @ = (%s);',
                  'long @ = %s;',
                  'int unused_@, @ = %s;', 'unsigned long long int @ = %s;', '_Alignas(16) int @ = %s;',
                  '__attribute__((unused)) int @ = %s;', 'int @ __attribute__((aligned(8))) = %s;',
                  'int_fast16_t @ = %s;')
    text = text.replace('@', name) % term.text
    kind = 'long' if 'long' in text.split('=')[0] else 'int'
    return Piece('variable', text, 'either', (Offer(name, kind),), use('', term))


def array(b):
    name = b.fresh()
    return Piece('array', b.pick(f'int {name}[] = {{ 1, 2, {b.number(3)} }};',
                                 f'int {name}[3] = {{ [2] = {b.number()}, [0] = 1 }};',
                                 f'static const int {name}[3] = {{ 4, 5, 6, }};'), 'either',
                 (Offer(f'{name}[2]'), Offer(name, 'array'), Offer(f'sizeof({name}) / sizeof({name}[0])', 'ulong'),
                  Offer(f'*({name} + 1)'), Offer(f'&{name}[2] - {name}', 'long')))


def string_variable(b):
    name, text = b.fresh(), b.string()
    return Piece('string variable', b.pick(f'const char *{name} = "{text}";', f'char {name}[] = "{text}";',
                                           f'static const char * const {name} = "{text}";'), 'either',
                 (Offer(name, 'string'), Offer(f'strlen({name})', 'long'), Offer(f'{name}[0] == {name}[0]')))


def type_definition(b):
    name = b.fresh(TYPES)
    variant = b.number(1, 6)
    if variant == 1:
        return Piece('struct', f'struct {name} {{ int a; int b; }};', 'file',
                     (Offer(f'(struct {name}){{ 1, {b.number()} }}.b'), Offer(f'sizeof(struct {name})', 'ulong')))
    if variant == 2:
        return Piece('typedef struct', f'typedef struct {{ int a; int b[2]; }} {name};', 'file',
                     (Offer(f'(({name}){{ 1, {{ 2, {b.number()} }} }}).b[1]'), Offer(f'sizeof({name})', 'ulong')))
    if variant == 3:
        other = b.fresh()
        return Piece('enum', f'enum {name} {{ {other}_A, {other}_B = {b.number()}, {other}_C }};', 'file',
                     (Offer(f'{other}_C + 0', constant=True),))
    if variant == 4:
        return Piece('union', f'union {name} {{ int a; char c[4]; }};', 'file',
                     (Offer(f'sizeof(union {name})', 'ulong'),))
    if variant == 5:
        return Piece('typedef', b.pick(f'typedef int {name};', f'typedef int {name}, *{name}_p;',
                                       f'typedef __typeof__(1) {name};'),
                     'file', (Offer(f'({name})3.7'), Offer(f'sizeof({name})', 'ulong')))
    return Piece('bit-fields',
                 f'struct {name} {{ unsigned a : 3, : 2; struct {name} *next; union {{ int q; float r; }}; }};',
                 'file', (Offer(f'(struct {name}){{ .q = {b.number()} }}.q'),))


def function_pointer(b):
    functions = [o for piece in b.pieces if piece.kind in ('function', 'attribute', 'k&r', 'implicit int')
                 for o in piece.offers
                 if piece.text.split(o.text.split('(')[0])[0].strip() in ('int', 'static int')]
    if not functions:
        return None
    target, name = b.rng.choice(functions), b.fresh()
    return Piece('function pointer', f'int (*{name})(int) = {b.pick("", "&")}{target.text.split("(")[0]};', 'either',
                 (Offer(f'{name}({b.number()})'), Offer(f'(*{name})(2)')), use('', target))


def assembler(b):
    name = b.fresh(('asm_one', 'asm_two', 'seven', 'print_asm'))
    return Piece('asm', b.pick('__asm__', '__asm') +
                 f'(".text; {name}: mov ${b.number()}, %eax; ret"); int {name}(void);', 'file', (Offer(f'{name}()'),))


def static_assert(b):
    return Piece('_Static_assert', b.pick('_Static_assert(sizeof(int) == 4, "it\'s {4}");',
                                          '_Static_assert(1, "if (x) {");'),
                 b.pick('file', 'main'))


def own_ints(b):
    return [(piece, offer) for piece in b.pieces if piece.kind in ('variable', 'conditional declaration')
            for offer in piece.offers if offer.kind == 'int' and 'const ' not in piece.text]


def statement(b):
    variables = own_ints(b)
    term = b.term()
    if variables:
        offer = b.rng.choice(variables)[1]
        text = b.pick('@ += %s;', '@ = %s;', '@++;', 'if (@ > 2) { @ = %s; }', 'if (@ > 2) @ = %s; else { @ = 1; }',
                      'for (int i = 0; i < 4; i++) { @ += i; }', 'for (int i = 0; i < 3; i++) @ += %s;',
                      'while (@ < 20) { @ += 7; }',
                      'do { @ += 3; } while (@ < 9);', '{ int t = %s; @ = t; }',
                      'switch (@) { case 1: @ = 5; break; case 2: if (@ > 1) { @ = 6; } break; default: @ = %s; }',
                      'switch (@) { case \'{\': { @ = 1; } break; default: while (@ > 50) { @ -= 9; } }',
                      'if (@ == 1) { @ = 2; } else if (@ == 2) { @ = 3; } else { @ = %s; }', '(void)(@ = %s);',
                      '@ = strlen("{it\'s; }") + %s;', "@ = '{';", "@ = '\\'';", '{ @ = 4; } { @ += 1; }', ';;',
                      '@ *= 2, @ -= 1;')
        text = text.replace('@', offer.text)
        needs = use(text, offer, term)
        return Piece('statement', text % term.text if '%s' in text else text, 'main', (), needs)
    return Piece('statement', b.pick('{ }', ';', 'if (0) { return 1; }', 'for (;;) { break; }',
                                     '(void)%s;' % term.text), 'main',
                 (), use('', term))


def goto(b):
    name = b.fresh(('again', 'out', 'done', 'retry'))
    variables = own_ints(b)
    if not variables:
        return None
    offer = b.rng.choice(variables)[1]
    return Piece('label', f'{name}: {offer.text} += 11; if ({offer.text} < 30) goto {name};', 'main', (),
                 use('', offer))


def printing(b):
    term = b.term()
    return Piece('printing', b.pick(f'puts("{b.string()}");', f'printf("%d;\\n", (int)({term.text}));',
                                    f'if (1) {{ puts("{b.string()}"); }}',
                                    f'for (int i = 0; i < 2; i++) puts("{b.string()}");',
                                    f'printf("%s\\n", "{b.string()}" "{b.string()}");', "putchar('}');",
                                    "putchar('\"');"),
                 'main', (), use('', term))


printing.prints = True


def values(b):
    """Last expressions: anything of earlier pieces, or with them inside."""
    every = [offer for piece in b.pieces for offer in piece.offers]
    if every and b.rng.random() < 0.35:
        return b.rng.choice(every)
    one, two = b.term(), b.term()
    text, kind = b.pick(
        ('%s + %s', 'int'), ('(%s) * (%s)', 'int'), ('-%s', 'int'), ('!%s', 'int'), ('not %s', 'int'),
        ('%s > %s', 'int'),
        ('%s == %s', 'int'), ('%s ? 3 : 4', 'int'), ('(%s, %s)', 'int'), ('sizeof(int) * 2', 'ulong'),
        ('sizeof(long[3])', 'ulong'),
        ('sizeof(struct { char a; int b; })', 'ulong'), ('sizeof (unsigned long)', 'ulong'), ('sizeof %s', 'ulong'),
        ('(int[]){ 1, 2, 3 }[%s & 1]', 'int'), ('((struct { int a; }){ %s }).a', 'int'),
        ('({ int q = %s; q * 2; })', 'int'),
        ('({ struct { int a; } q = { %s }; q.a; })', 'int'), ('(long)%s', 'long'), ('"string"[%s & 3]', 'char'),
        (f'strlen("{b.string()}") + 1', 'ulong'), (f'sizeof "{b.string()}"', 'ulong'), ("'{' + %s", 'int'),
        ("'a'", 'int'),
        ("'\"' + %s", 'int'), ("'\\'' + 1", 'int'), ('%s / 2.0', 'double'), ('1.5e1', 'double'), ('0x1F + %s', 'int'),
        ('_Generic(%s, int: 5, default: 6)', 'int'), (f'strcmp("{b.string()}", "") != 0', 'int'), ('~%s', 'int'),
        ('1 ? %s : (int){ 2 }', 'int'), ('(int){ %s }', 'int'), ('abs(-%s)', 'int'), ('%s << 2', 'int'),
        ('10ULL', 'ulong'),
        ('%s and 1', 'int'), (f'"{b.string()}"', 'string'), (f'1 ? "{b.string()}" : "x"', 'string'),
        ('&(int[2]){ 1, 2 }[1] != 0', 'int'),
        ('offsetof(struct { char a; int b; }, b)', 'ulong'), ('(char)65', 'char'), ('*&(int){ %s }', 'int'),
        ('%s <= %s', 'int'),
        ('%s != %s', 'int'), ('%s >= 2', 'int'))
    filled = {0: (), 1: (one.text,), 2: (one.text, two.text)}[text.count('%s')]
    return Offer(text % filled if filled else text, kind, needs=one.needs | two.needs)


def value(b):
    offer = values(b)
    return Piece('value', offer.text + ';', 'main', (), offer.needs, last='value', expression=offer)


def declaration(b):
    name, term = b.fresh(), b.term()
    text, kind = b.pick(('int @[] = { 1, 2, %s };', 'array'), ('int @ = %s;', 'int'),
                        ('const char *@ = "{%s}";', 'string'),
                        ('int @[3] = { 1, 2, 3 };', 'array'), ('double @ = %s / 2.0;', 'double'),
                        ('struct { int a; } @ = { %s };', 'one'))
    text = text.replace('@', name)
    inside = escaped(term.text) if kind == 'string' else term.text
    return Piece('declaration', text % inside if '%s' in text else text, 'main', (), use('', term),
                 last='declaration',
                 expression=Offer(name, kind))


def output(b):
    offer = values(b)
    piece = Piece('output', f'printf("%s %d|\\n", "{b.string()}", (int)sizeof({offer.text}) ? 7 : 8);', 'main', (),
                  offer.needs,
                  last='output')
    term = b.term()
    if b.rng.random() < 0.5:
        piece.text = b.pick(f'printf("%d\\n", (int)({term.text}));',
                            f'for (int i = 0; i < 2; i++) {{ printf("%d;", (int)({term.text})); }}',
                            f'if (1) {{ puts("{b.string()}"); }}', f'{{ puts("{b.string()}"); }}')
        piece.needs = term.needs
    return piece


def main(b):
    term, other = b.term(), b.term()
    head = b.pick('int main(void)', 'int main()', 'main()', 'main ( )', 'int main(int argc, char *argv[])',
                  'int main(int argc, char **argv)',
                  'main(argc, argv) int argc; char **argv;', 'int main(argc, argv)\nint argc;\nchar *argv[];',
                  'int (main)(void)',
                  'void main(void)', 'extern int main(void)', 'int\nmain(void)\n', 'signed main()',
                  '__attribute__((noinline)) int main(void)',
                  'int main(void) /* } */')
    body = b.pick('printf("%%d\\n", (int)(%s));', 'int q = %s; if (q > 1) { q++; } printf("%%d\\n", q);',
                  'for (int i = 0; i < 2; i++) { printf("%%d %%s\\n", (int)(%s), "' + b.string().replace('%', '%%') +
                  '"); }') % term.text
    last = ' exit(0);' if head.startswith('void') else b.pick(' return 0;', ' exit(0);', ' return 0 ;')
    return Piece('main', f'{head} {{ {body}{last} }}', 'file', (), use('', term), last='main')


def guarded_main(b):
    piece = main(b)
    while '\n' in piece.text:
        piece = main(b)
    dead = b.pick('int main(void) { return 3; }', 'int main(void)\n{\n    return f();\n}', "it's not C {")
    piece.kind = 'two mains'
    piece.text = b.pick('#ifdef NOSUCH\n%(dead)s\n#else\n%(live)s\n#endif', '#if 1\n%(live)s\n#else\n%(dead)s\n#endif',
                        '%(live)s\n#ifdef NOSUCH\n%(dead)s\n#endif') % {'dead': dead, 'live': piece.text}
    piece.whole = True
    return piece


MAKERS = [plain_function, plain_function, attribute_function, bracket_attribute_function, knr_function,
          implicit_function,
          braces_function, struct_return_function, pointer_function, string_function, function_of_function,
          array_function,
          variadic_function, prototype, define, define_function, conditional, conditional_variable, include, variable,
          variable,
          variable, array, string_variable, type_definition, type_definition, function_pointer, assembler,
          static_assert,
          statement, statement, statement, goto, printing]
ENDINGS = [(Ending(value), 10), (Ending(declaration), 2), (Ending(output, prints=True), 3),
           (Ending(main, prints=False, main=True), 4),
           (Ending(guarded_main, prints=False, main=True), 1)]
for maker in (statement, goto, printing):
    maker.inside = True

# How the program by hand tells a value, as the debugger does.
SHOW = {
    'int': 'printf("%d", (int)({0}));', 'long': 'printf("%ld", (long)({0}));',
    'ulong': 'printf("%lu", (unsigned long)({0}));',
    'double': 'printf("%g", (double)({0}));', 'char': 'printf("%d \'%c\'", {0}, {0});',
    'string': '{{ const char *s_ = {0}; putchar(\'"\'); for (; *s_; s_++) {{ if (*s_ == \'"\' || *s_ == \'\\\\\') putchar(\'\\\\\'); '
              'putchar(*s_); }} putchar(\'"\'); }}',
    'array': 'for (int i_ = 0; i_ < 3; i_++) printf("%s%d", i_ ? ", " : "{{", {0}[i_]); putchar(\'}}\');',
    'one': 'printf("{{a = %d}}", {0}.a);',
}
HEADERS = ''.join(f'#include <{name}.h>\n' for name in (
    'assert ctype errno float inttypes iso646 limits locale math setjmp signal stdarg stdbool stddef stdint stdio stdlib string '
    'time wchar unistd').split())


def line(code, newlines):
    return json.dumps({'nick': 'n', 'channel': '#o', 'lang': 'c11', 'code': code}) if newlines else '-lang=c11 ' + code


def program(snippet):
    """The program by hand, for gcc."""
    outside, inside = snippet.by_hand()
    last = snippet.pieces[-1]
    text = HEADERS + '\n'.join(piece.code for piece in outside) + '\n'
    if last.last == 'main':
        return renamed(text, HEADER_NAMES)
    body = [piece.code for piece in inside if piece.last != 'value']
    if last.last in ('value', 'declaration'):
        body.append(SHOW[last.expression.kind].format(last.expression.text))
    return renamed(text + 'int main(void)\n{\n' + '\n'.join(body) + '\nreturn 0;\n}\n', HEADER_NAMES)


SOURCE = 'hand.c'
COMMANDS = [['gcc', '-std=c11', '-D_XOPEN_SOURCE=9001', '-w', SOURCE, '-o', 'hand', '-lm'], ['./hand']]
