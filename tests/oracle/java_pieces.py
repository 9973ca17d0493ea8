# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pieces of Java."""

import json

from grammar import Ending, Offer, Piece, use

NAMES = ('alpha', 'beta', 'n', 'total', 'twice', 'width', 'item', 'node', 'cell', 'x', 'y', 'z', 'k', 'print',
         'println', 'mainly', 'iff',
         'classy', 'importer', 'statics', 'value', 'staticItem')
TYPES = ('Point', 'Pair', 'S', 'Cell', 'Item', 'Shape', 'Tree', 'Mainly', 'Classy', 'Program')


def call(b, name):
    return (Offer(f'{name}({b.number()})'),)


def method(b):
    name, term = b.fresh(), b.term(constant=True)
    head = b.pick('static int @(int v)', 'public static int @(int v)', 'private static final int @(final int v)',
                  'static int @ (int v)',
                  '@Deprecated static int !(int v)', '@SuppressWarnings("unchecked") static int !(int v)',
                  'static synchronized int @(int v)',
                  'static int @(int v) throws RuntimeException', 'static <T extends Number> int @(int v)',
                  'static int\n@(int v)\n',
                  '@SuppressWarnings({"a", "it\'s}"}) public static int !(int v)', 'static strictfp int @(int v)')
    head = head.replace('!', name) if '!' in head else head.replace('@', name)
    text = b.pick('return v * 2 + %s;', 'int r = 0; for (int i = 0; i < v; i++) { r += %s; } return r;',
                  'if (v > 3) { return %s; } return v;',
                  'switch (v) { case 1: return 7; case 2: { return %s; } default: break; } return v;',
                  "char c = '{'; return c + v + %s;",
                  'return "}{".length() + v + %s;',
                  'try { if (v > 2) throw new Exception("x"); return 1; } catch (Exception e) { return %s; } finally { }',
                  'return switch (v) { case 1 -> 5; default -> %s; };',
                  'Runnable q = () -> { int w = 1; }; q.run(); return v + %s;',
                  'class L { int a = 3; } return new L().a + v + %s;', "return '\\'' + v + %s;",
                  'int[] a = {1, 2, 3}; return a[v %% 3] + %s;',
                  'outer: for (int i = 0; ; i++) { if (i > v) break outer; } return %s;', 'return v > 2 ? %s : 1_000;')
    return Piece('method', f'{head} {{ {text % term.text} }}', 'file', call(b, name), use('', term))


def rich_method(b):
    name = b.fresh()
    text, offer = b.pick(
        ('static <T> T @(T t) { return t; }', '@(3)'), ('static int[] @() { return new int[]{ 1, 2 }; }', '@().length'),
        ('static int @()[] { return new int[]{ 1, 2 }; }', '@()[1]'),
        ('static <K, V extends Comparable<V>> V @(K k, V v) { return v; }', '@("a", 3)'),
        ('static List<Integer> @() { return Arrays.asList(1, 2, 3); }', '@().size()'),
        ('static Map<String, List<Integer>> @() { Map<String, List<Integer>> m = new HashMap<>(); m.put("}", Arrays.asList(4)); return m; }', '@().get("}").get(0)'),
        ('static int @(int... a) { int s = 0; for (int i : a) { s += i; } return s; }', '@(1, 2, 3)'),
        ('static int[][] @() { return new int[][]{ { 1 }, { 2, 3 } }; }', '@()[1][1]'),
        ('public static <T> List<T> @(List<? extends T> l) { return new ArrayList<>(l); }',
         '@(Arrays.asList(1, 2)).size()'),
        ('static java.util.function.Function<Integer, Integer> @() { return v -> { return v + 1; }; }', '@().apply(3)'),
        ('static String @() { return "%s"; }' % b.string(), '@().length()'),
        ('static String @() { return """\n    a "b" { it\'s\n    """; }', '@().length()'),
        ('static int @(String s, char c) { return s.indexOf(c); }', '@("a}b", \'}\')'),
        ('static Comparable<String> @(final String s) { return s; }', '@("a").compareTo("a")'))
    return Piece('rich method', text.replace('@', name), 'file', (Offer(offer.replace('@', name)),))


def type_(b):
    name = b.fresh(TYPES)
    text, offer = b.pick(
        ('class @ { int a; @(int q) { a = q; } int get() { return a; } }', 'new @(3).get()'),
        ('class @<T> { T a; @(T q) { this.a = q; } T get() { return a; } }', 'new @<Integer>(3).get()'),
        ('interface @ { int f(int v); default int g() { return f(2) + 1; } }', '((@) v -> v * 2).g()'),
        ('enum @ { A, B, C; int f() { return ordinal() + 1; } }', '@.C.f()'),
        ('enum @ { A(4), B(5) { int f() { return 9; } }; final int q; @(int q) { this.q = q; } int f() { return q; } }',
         '@.B.f()'),
        ('record @(int a, int b) { int sum() { return a + b; } }', 'new @(1, 2).sum()'),
        ('record @<T>(T a) { @ { if (a == null) { throw new RuntimeException(); } } }', 'new @<>(3).a()'),
        ('abstract class @ { abstract int f(); static @ of(int v) { return new @() { int f() { return v; } }; } }',
         '@.of(4).f()'),
        ('class @ implements Comparable<@> { int a = 1; public int compareTo(@ o) { return a - o.a; } }',
         'new @().compareTo(new @())'),
        ('class @ { static int n; static { n = 5; } { n++; } }', '@.n'),
        ('final class @ { static class In { int q = 4; } }', 'new @.In().q'),
        ('@interface @ { int value() default 3; }', '6'),
        ('sealed interface @ permits @A, @B { } record @A(int a) implements @ { } record @B(int b) implements @ { }',
         'new @A(3).a()'),
        ('class @ extends Exception { @(String m) { super(m); } }', 'new @("it\'s").getMessage().length()'),
        ('class @ {\n    private int a = 3;\n\n    int f() {\n        return a;\n    }\n}', 'new @().f()'),
        ('@FunctionalInterface interface @ { String f(String s) throws Exception; }', '7'),
        ('class @ { int a[] = { 1, 2 }, b = 3; String s = "}"; }', 'new @().a[1]'))
    mark = '@interface' if text.startswith('@interface') else '@FunctionalInterface' if text.startswith('@Func') else ''
    text = mark + text[len(mark):].replace('@', name)
    return Piece('type', text, 'file', (Offer(offer.replace('@', name)),))


def field(b):
    name = b.fresh()
    text, offer = b.pick(('static int @ = %d;' % b.number(), '@'), ('static final int @ = 4, @_b = 5;', '@_b'),
                         ('private static int[] @ = { 1, 2, 3 };', '@[1]'),
                         ('static List<Integer> @ = new ArrayList<>(Arrays.asList(1, 2));', '@.size()'),
                         ('static Map<String, Integer> @ = new HashMap<>() {{ put("a", 3); }};', '@.get("a")'),
                         ('static final String @ = "%s";' % b.string(), '@.length()'),
                         ('static java.util.function.IntUnaryOperator @ = v -> { return v + 1; };', '@.applyAsInt(3)'),
                         ('public static int @; static { @ = 6; }', '@'))
    return Piece('field', text.replace('@', name), 'file', (Offer(offer.replace('@', name), constant=True),))


def import_(b):
    if 'import' in b.taken:
        return None
    b.taken.add('import')
    lines = ['import java.util.*;', b.pick('import java.util.stream.*;', 'import static java.lang.Math.*;',
                                           'import java.util.function.Function;', 'import java.io.*;')]
    b.rng.shuffle(lines)
    return Piece('import', ' '.join(lines), 'file')


def local(b):
    name, term = b.fresh(), b.term()
    text, offer = b.pick(('int @ = %s;', '@'), ('var @ = %s;', '@'), ('int[] @ = { 1, %s };', '@[1]'),
                         ('int @[] = { 1, %s };', '@[1]'), ('final int @ = %s;', '@'),
                         ('List<Integer> @ = new ArrayList<>(List.of(%s, 2));', '@.get(0)'),
                         ('String @ = "%s";' % b.string().replace('%', '%%'), '@.length()'),
                         ('Map<String, int[]> @ = new HashMap<>(); @.put("}", new int[]{ %s });', '@.get("}")[0]'),
                         ('String @ = """\n    { "it\'s"; }\n    """;', '@.length()'),
                         ('java.util.function.Function<Integer, Integer> @ = v -> v + 1;', '@.apply(3)'),
                         ('Object @ = new Object() { public String toString() { return "}"; } };',
                          '@.toString().length()'),
                         ('int @; @ = %s;', '@'), ('long @ = 1_000L;', '(int)@'), ('char @ = \'"\';', '(int)@'),
                         ('int[][] @ = { { 1 }, { 2, 3 } };', '@[1][1]'))
    text = text.replace('@', name)
    return Piece('local', text % term.text if '%s' in text else text, 'main', (Offer(offer.replace('@', name)),),
                 use('', term))


def own_ints(b):
    return [offer for piece in b.pieces if piece.kind == 'local' and piece.text.startswith(('int ', 'var '))
            and '[' not in piece.text for offer in piece.offers] + \
        [offer for piece in b.pieces if piece.kind == 'field' and 'final' not in piece.text for offer in piece.offers
         if offer.text.isidentifier()]


def statement(b):
    variables, term = own_ints(b), b.term()
    if not variables:
        text = b.pick('{ }', ';', 'for (;;) { break; }',
                      'try { throw new Exception("}"); } catch (Exception e) { } finally { }',
                      'if (1 > 2) { System.exit(1); }',
                      'synchronized (String.class) { }', 'for (int i : new int[]{ 1, 2 }) { }',
                      'new Thread(() -> { }).start();', 'Runnable run%d = () -> { };' % b.number(100, 9999))
        return Piece('statement', text, 'main')
    offer = b.rng.choice(variables)
    text = b.pick('@ += %s;', '@ = %s;', '@++;', 'if (@ > 2) { @ = %s; }', 'if (@ > 2) @ = %s; else { @ = 1; }',
                  'for (int i = 0; i < 4; i++) { @ += i; }', 'while (@ < 20) { @ += 7; }',
                  'do { @ += 3; } while (@ < 9);',
                  'switch (@) { case 1: @ = 5; break; case 2: if (@ > 1) { @ = 6; } break; default: @ = %s; }',
                  '{ int t = %s; @ = t; }',
                  'switch (@) { case 1, 2 -> @ = 3; default -> { @ = %s; } }',
                  'try { throw new RuntimeException("a}"); } catch (RuntimeException e) { @ = e.getMessage().length(); }',
                  'for (int i : new int[]{ 1, 2 }) @ += i;', "@ = '{';",
                  'outer%d: for (int i = 0; ; i++) { while (true) { if (i > 2) break outer%d; break; } @ += i; }',
                  '@ = "it\'s {".length();',
                  'if (@ == 1) { @ = 2; } else if (@ == 2) { @ = 3; } else { @ = %s; }',
                  'Object o@ = @; if (o@ instanceof Integer i@ && i@ > 3) { @ = 4; }')
    text = text.replace('outer%d', f'outer{b.number(10, 999)}').replace('o@',
                                                                        f'o{b.number(10, 9999)}_') if 'outer' in text else text
    unique = str(b.number(10, 99999))
    text = text.replace('o@', 'o' + unique).replace('i@', 'i' + unique).replace('@', offer.text)
    return Piece('statement', text % term.text if '%s' in text else text, 'main', (), use('', offer, term)
                 if '%s' in text else use('', offer))


def printing(b):
    term = b.term()
    return Piece('printing', b.pick(f'System.out.println("{b.string()}");', f'System.out.println({term.text});',
                                    f'if (1 < 2) {{ System.out.println("{b.string()}"); }}',
                                    'System.out.println(\'}\'); System.out.println(\'"\');',
                                    f'for (int i = 0; i < 2; i++) System.out.println(i + {term.text});'), 'main', (),
                 use('', term))


printing.prints = True


def output(b):
    every = [offer for piece in b.pieces for offer in piece.offers]
    terms = [b.rng.choice(every) if every else b.term(), b.term()]
    text = b.pick('System.out.println(%s);', 'System.out.println("' + b.string().replace('%', '%%') + '" + %s);',
                  'System.out.printf("%%d%%n", %s);', 'for (int i = 0; i < 2; i++) { System.out.println(%s + i); }',
                  'if (1 < 2) { System.out.println(%s); }', '{ System.out.println(%s); }',
                  'java.util.stream.Stream.of(1, 2).forEach(q -> { System.out.println(q); });',
                  'try { throw new Exception("}"); } catch (Exception e) { System.out.println(e.getMessage() + %s); }',
                  'new Object() { void f() { System.out.println("}"); } }.f();',
                  'System.out.println(%s + %s);', 'System.out.println(1 > 2 ? "a" : "{it\'s}");',
                  'System.out.print("""\n    a {\n    "b" %s\n    """);')
    if '"""' in text:
        text, terms = text.replace('%s', "it's;"), []
    count = text.count('%s')
    # What changes is no part of a lambda or an anonymous class.
    return Piece('output', text % tuple(term.text for term in terms[:count]) if '%' in text else text, 'main', (),
                 use('', *terms[:count]), last='output')


def main(b):
    name = b.pick('Main', 'Hello', 'prog', 'Test', 'A', 'Prog', 'Solution', 'Main2')
    head = b.pick('public class @', 'class @', 'public final class @', 'final class @',
                  'public class @ implements Runnable', 'class @ extends Object', '@SuppressWarnings("x") class !',
                  'public class @<T>')
    head = head.replace('!', name) if '!' in head else head.replace('@', name)
    method_ = b.pick('public static void main(String[] args)', 'static public void main(String... args)',
                     'public static void main(final String[] args) throws Exception',
                     'public static void main(String args[])',
                     'public static void\n    main(String[] args)\n    ')
    inner = b.pick('System.out.println(%s);', 'for (int i = 0; i < 2; i++) { System.out.println(i + %s); }',
                   'System.out.println("{" + %s + "}");') % b.number()
    extra = b.pick('', ' static int helper(int v) { return v; }', ' int a = 3;', ' static class In { }',
                   ' static { int q = 1; }')
    run = ' public void run() { }' if 'Runnable' in head else ''
    return Piece('main', f'{head} {{ {method_} {{ {inner} }}{extra}{run} }}', 'file', last='main')


def interface_main(b):
    return Piece('interface with main',
                 'interface %s { static void main(String[] args) { System.out.println(%d); } }' % (b.pick('Main', 'I'),
                                                                                                   b.number()), 'file',
                 last='main')


MAKERS = [method, method, method, rich_method, rich_method, type_, type_, type_, field, field, import_, local, local,
          local, statement, statement, statement, printing]
ENDINGS = [(Ending(output, prints=True), 12), (Ending(main, main=True), 4)]
for maker in (statement, printing, local, method, rich_method, field):
    maker.inside = True


def line(code, newlines):
    return json.dumps({'nick': 'n', 'channel': '#o', 'lang': 'java',
                       'code': code}) if newlines else '-lang=java ' + code


def program(snippet):
    """The program by hand: types beside the class, methods and fields in it, in the order of the snippet. The class with
    main comes first, which is the one that java runs of a source."""
    outside, inside = snippet.by_hand()
    imports = [piece.code for piece in outside if piece.kind == 'import'] or ['import java.util.*;']
    types = [piece.code for piece in outside if piece.kind == 'type']
    if snippet.pieces[-1].last == 'main':
        program_ = [snippet.pieces[-1].code]
    else:
        members = [piece.code for piece in outside if piece.kind not in ('import', 'type')]
        program_ = ['class Hand {', *members, 'public static void main(String[] args) throws Exception {',
                    *(piece.code for piece in inside), '}', '}']
    return '\n'.join(imports + program_ + types) + '\n'


SOURCE = 'Hand.java'
COMMANDS = [['java', '-XX:TieredStopAtLevel=1', SOURCE]]
