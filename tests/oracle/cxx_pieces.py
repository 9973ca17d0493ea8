# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pieces of C++."""

import json

from grammar import Ending, Offer, Piece, escaped, renamed, use

# Words of the environment and names of headers among them: a name of one's own means one's own.
HEADER_NAMES = ('distance', 'left', 'hash', 'index', 'time', 'pow', 'rank', 'next', 'data', 'plus')
NAMES = HEADER_NAMES + ('alpha', 'beta', 'n', 'total', 'twice', 'width', 'item', 'node_', 'cell', 'x', 'y', 'z', 'k',
                        'print', 'dump', 'trace', 'watch', 'ptype', 'whatis', 'mainly', 'iff', 'structure', 'returned',
                        'classy', 'templates', 'usings', 'operators')
TYPES = ('T0', 'Point', 'Pair', 'S', 'Cell', 'Item', 'Node', 'is_same', 'Matrix', 'print_t', 'Watch', 'Shape')


def call(b, name, head=''):
    cast = '(int)' if 'unsigned' in head or 'size_t' in head else ''
    return (Offer(f'{cast}{name}({b.number()})'),)


def body(b, term, name='v'):
    text = b.pick('return @ * 2 + %s;', 'int r = 0; for (int i = 0; i < @; i++) { r += %s; } return r;',
                  'if (@ > 3) { return %s; } return @;',
                  'for (auto q : { 1, 2, 3 }) { if (q == @) { return %s; } } return 0;',
                  'auto f = [=](int q) { return q + @; }; return f(%s);',
                  'try { if (@ > 2) throw 1; return 2; } catch (int) { return %s; }',
                  'struct L { int a; int get() const { return a; } }; return L{@}.get() + %s;',
                  "return 1'000 + @ - %s;",
                  'return std::vector<int>{ 1, 2, 3 }.size() + @ + %s;', "char c = '{'; return c + @ - %s;",
                  'string s = R"(}"{)"; return s.size() + @ + %s;', 'if (not @) { return 5; } else { return %s + @; }')
    return text.replace('@', name) % term.text


def function(b):
    name, term = b.fresh(), b.term()
    head = b.pick('int @(int v)', 'static int @(int v)', 'inline int @(int v) noexcept', 'auto @(int v) -> int',
                  'auto @(int v) noexcept -> int',
                  '[[gnu::noinline]] int @(int v)', '[[nodiscard]] static auto @(int v) -> int',
                  'int @ [[gnu::noinline]] (int v)',
                  '__attribute__((noinline)) int @(int v)', 'int @(int v) noexcept(false)', 'decltype(1) @(int v)',
                  'std::size_t @(int v)',
                  'int @(const int &v)', 'int @(int v, int w = 3)', 'auto @([[maybe_unused]] int v) -> decltype(v)',
                  'int (@)(int v)',
                  'extern "C" int @(int v)', 'const int @(int v)', 'unsigned long @(int &&v)',
                  'typename std::enable_if<true, int>::type @(int v)',
                  'decltype(auto) @(int v)')
    text = body(b, term)
    if 'decltype(auto)' in head:
        text = f'return (int)(v + {term.text});'
    return Piece('function', head.replace('@', name) + ' { ' + text + ' }', 'file', call(b, name, head), use('', term))


def container_function(b):
    name, kind = b.fresh(), b.pick('vector', 'string', 'pair', 'map', 'array')
    text, offer = {
        'vector': ('std::vector<int> @() { return { 1, 2, 3 }; }', '(int)@().size()'),
        'string': ('std::string @() { return "%s"; }' % b.string(), '(int)@().size()'),
        'pair': ('pair<int, int> @() { return { 1, 2 }; }', '@().second'),
        'map': ('std::map<std::string, std::vector<int>> @() { return { { "a", { 1, 2 } } }; }',
                '(int)@()["a"].size()'),
        'array': ('const std::array<int, 3> &@() { static std::array<int, 3> a{ { 7, 8, 9 } }; return a; }',
                  '@()[1]')}[kind]
    offers = [Offer(offer.replace('@', name))]
    if kind == 'string':
        offers.append(Offer(f'{name}()', 'string'))
    if kind == 'vector':
        offers.append(Offer(f'{name}()', 'vector'))
    return Piece('function of ' + kind, text.replace('@', name), 'file', tuple(offers))


def template(b):
    name, term = b.fresh(), b.term()
    text, offer = b.pick(
        ('template<class T> T @(T a) { return a * 2; }', '@(4)'),
        ('template <typename T, int N = 3> int @(T a) { return a + N; }', '@(4)'),
        ('template<typename... A> int @(A... a) { return sizeof...(a); }', '@(1, 2, 3)'),
        ('template<int N> int @() { return N; }', '@<7>()'),
        ('template<class T> auto @(T a) -> decltype(a + 1) { return a + 1; }', '@(4)'),
        ('template<class T, class = std::enable_if_t<std::is_integral<T>::value>> T @(T a) { return a > 1 ? a : 1; }',
         '@(4)'),
        ('template<bool B = (1 < 2)> int @() { return B; }', '@()'),
        ('template<class T> T @(T a) { return a; } template<> int @(int a) { return a * 3; }', '@(4)'),
        ('template<class T> T @(T a) { return a + 1; } template int @<int>(int);', '@(4)'),
        ('template<template<class, class> class C> int @() { C<int, std::allocator<int>> c{ 1, 2 }; return c.size(); }',
         '@<std::vector>()'),
        ('template<class T>\nT @(T a)\n{\n    return a + %s;\n}' % term.text, '@(4)'),
        ('template<class T> constexpr T @ = T(5);', '@<int>'))
    return Piece('template', text.replace('@', name), 'file', (Offer(offer.replace('@', name)),), use('', term))


def class_template(b):
    name = b.fresh(TYPES)
    text, offer = b.pick(
        ('template<class T> struct @ { T a; T get() const { return a; } };', '@<int>{4}.get()'),
        ('template<class T, int N> class @ { T a[N] = {}; public: int size() const { return N; } };',
         '@<int, 5>().size()'),
        ('template<class T> struct @ { static int n; }; template<class T> int @<T>::n = 6;', '@<int>::n'),
        ('template<class T> struct @ { enum { value = 1 }; }; template<class T> struct @<T *> { enum { value = 2 }; };',
         '(int)@<int *>::value'),
        ('template<class T> struct @ { T f(); }; template<class T> T @<T>::f() { return T(3); }', '@<int>().f()'),
        ('template<class... A> struct @; template<> struct @<> { static const int n = 0; }; template<class H, class... A> struct @<H, A...> '
         '{ static const int n = 1 + @<A...>::n; };', '(int)@<int, char>::n'),
        ('template<class T> using @ = std::vector<T>;', '(int)@<int>{ 1, 2 }.size()'))
    return Piece('class template', text.replace('@', name), 'file', (Offer(offer.replace('@', name)),))


def klass(b):
    name = b.fresh(TYPES)
    text, offer = b.pick(
        ('struct @ { int a; int b = 2; };', '@().b'),
        ('class @ { int a; public: @(int q) : a(q) {} int get() const { return a; } };', '@(3).get()'),
        ('class @ {\n    int a;\npublic:\n    explicit @(int q) : a{q} { }\n    ~@() { }\n    int get() const noexcept { return a; }\n};', '@(3).get()'),
        ('struct @ { int a; bool operator<(const @ &o) const { return a < o.a; } };', '(int)(@{1} < @{2})'),
        ('struct @ { int a; @(int q); int f() const; }; @::@(int q) : a(q) { } int @::f() const { return a + 1; }',
         '@(3).f()'),
        ('struct @ { int a; friend @ operator+(@ l, @ r) { return { l.a + r.a }; } };', '(@{1} + @{2}).a'),
        ('struct @ { int a; operator int() const { return a; } };', '@{3} + 1'),
        ('struct @ { static int n; }; int @::n = 4;', '@::n'),
        ('struct @ { virtual ~@() = default; virtual int f() const { return 1; } }; struct @_d final : @ { int f() const override { return 2; } };',
         '@_d().f()'),
        ('struct @ { int operator()(int q) const { return q + 1; } int operator[](int q) { return q; } };', '@()(3)'),
        ('struct @ { int a = 1; @ &operator++() { ++a; return *this; } @ operator++(int) { @ t = *this; ++a; return t; } };', '(++@()).a'),
        ('struct @ { @() = default; @(const @ &) = delete; int a = 3; };', '@().a'),
        ('enum class @ : int { A, B = 5, C };', '(int)@::C'),
        ('enum @ { @_A, @_B = 4 };', '@_B + 1'), ('union @ { int a; float f; };', '(int)sizeof(@)'),
        ('struct @ { struct In { int q; }; In in; };', '@{ { 4 } }.in.q'),
        ('struct @ { template<class T> T f(T t) { return t; } };', '@().f(3)'),
        ('struct [[gnu::packed]] @ { char c; int a; };', '(int)sizeof(@)'),
        ('struct alignas(16) @ { char c; };', '(int)sizeof(@)'),
        ('struct @ { int a; @() try : a(1) { } catch (...) { } };', '@().a'),
        ('struct @ { int a; auto f() const -> int { return a; } };', '@{6}.f()'),
        ('struct @ { static void *operator new(std::size_t s) { return ::operator new(s); } int a = 2; };', '@().a'),
        ('using @ = int;', '@(3.5)'), ('typedef std::vector<int> @;', '(int)@{ 1, 2 }.size()'),
        ('class @ { public: constexpr static int f() { return 8; } };', '@::f()'))
    return Piece('class', text.replace('@', name), 'file', (Offer(offer.replace('@', name)),))


def operator(b):
    name, other = b.fresh(TYPES), b.number(10, 999)
    text, offer = b.pick(
        ('struct @ { int a; }; @ operator+(@ l, @ r) { return { l.a + r.a }; }', '(@{1} + @{2}).a'),
        ('struct @ { int a; }; bool operator==(const @ &l, const @ &r) { return l.a == r.a; }', '(int)(@{1} == @{2})'),
        ('struct @ { int a; }; std::ostream &operator<<(std::ostream &o, const @ &q) { return o << "<" << q.a << ">"; }', '@{1}.a'),
        ('struct @ { int a; }; inline @ operator-(const @ &q) { return { -q.a }; }', '(-@{1}).a'),
        ('struct @ { int a; int operator()(int) const; int operator[](int) const; }; int @::operator()(int q) const { return q + a; } '
         'int @::operator[](int q) const { return q; }', '@{1}(2)'),
        ('struct @ { int a; explicit operator bool() const; }; @::operator bool() const { return a; }', '(@{1} ? 2 : 3)'),
        ('int operator""_u%d(unsigned long long q) { return q * 2; }' % other, '3_u%d' % other),
        ('constexpr int operator "" _v%d(const char *s, std::size_t n) { return n; }' % other, '"four"_v%d' % other),
        ('struct @ { int a; }; @ &operator+=(@ &l, int q) { l.a += q; return l; }', '@{3}.a'),
        ('struct @ { int a; }; template<class T> @ operator*(@ l, T r) { return { l.a * r }; }', '(@{2} * 3).a'),
        ('struct @ { int a; }; bool operator,(@, @) { return true; }', '@{3}.a'))
    return Piece('operator', text.replace('@', name), 'file', (Offer(offer.replace('@', name)),))


def namespace(b):
    name, term = b.fresh(('N', 'space', 'util', 'ns')), b.term()
    text, offer = b.pick(
        ('namespace @ { int f() { return 1; } }', '@::f()'),
        ('namespace @ { namespace inner { int f(int v) { return v; } } }', '@::inner::f(2)'),
        ('namespace @ { inline namespace v1 { int q = %s; } }' % term.text, '@::q'),
        ('namespace @ { struct A { int a; }; } using @::A;', '@::A{3}.a')
        if 'using A' not in b.taken else ('namespace @ { struct A { int a; }; }', '@::A{3}.a'),
        ('namespace { int @_f() { return 5; } }', '@_f()'), ('namespace @ { int f(); } int @::f() { return 6; }',
                                                             '@::f()'),
        ('namespace @ { template<class T> T f(T t) { return t; } } namespace @_alias = @;', '@_alias::f(4)'),
        ('extern "C" { int @_c(int v) { return v; } }', '@_c(3)'),
        ('extern "C" int @_c(int v); int @_c(int v) { return v + 1; }', '@_c(3)'),
        ('namespace @ [[gnu::visibility("default")]] { const char *s = "}"; }', '(int)@::s[0]'))
    if 'using' in text and '::A;' in text:
        b.taken.add('using A')
    return Piece('namespace', text.replace('@', name), 'file', (Offer(offer.replace('@', name)),), use('', term))


def using(b):
    return Piece('using', b.pick('using namespace std;', 'using std::string;', 'using std::vector; using std::cout;',
                                 'using Int = int;'
                                 if b.taken.isdisjoint({'Int'}) and not b.taken.add('Int') else 'using std::map;',
                                 'using namespace std::chrono_literals;'), 'file')


def lambda_variable(b):
    name, term = b.fresh(), b.term()
    text, place = b.pick(('auto @ = [](int v) { return v * 2; };', 'either'),
                         ('auto @ = [](auto v) -> int { if (v) { return 1; } return 0; };', 'either'),
                         ('const auto @ = [q = 3](int v) noexcept { return v + q; };', 'either'),
                         # Outside of functions there is nothing to capture, and none may say so.
                         ('auto @ = [&](int v) mutable { return v + %s; };', 'main'),
                         ('std::function<int(int)> @ = [=](int v) { return v + %s; };', 'main'))
    uses = '%s' in text
    return Piece('lambda', text.replace('@', name) % ((term.text,) if uses else ()), place, call(b, name),
                 use('', term) if uses else frozenset())


def variable(b):
    name, term = b.fresh(), b.term(constant=True)
    text = b.pick('int @ = %s;', 'int @{%s};', 'auto @ = %s;', 'const int @ = %s;', 'constexpr int @ = %s;',
                  'static int @(%s);', 'long @ = %s;',
                  'int @ = %s, @_b = 2;', 'alignas(8) int @ = %s;', '[[gnu::unused]] int @ = %s;',
                  'unsigned long @ = %s;', 'volatile int @{%s};')
    if text.startswith(('constexpr', 'auto')) and not term.text.isdigit():
        text = 'int @ = %s;'
    return Piece('variable', text.replace('@', name) % term.text, 'either',
                 (Offer(name, 'long' if 'long' in text else 'int'),), use('', term))


def object_(b):
    name, string = b.fresh(), b.string()
    text, offers = b.pick(
        ('std::vector<int> @{ 1, 2, 3 };', (Offer('@[1]'), Offer('@', 'vector'), Offer('@.size()', 'ulong'))),
        ('vector<int> @(3, 4);', (Offer('@.back()'),)), (f'std::string @ = "{string}";',
                                                         (Offer('@', 'string'), Offer('@.size()', 'ulong'))),
        ('std::map<string, int> @ = { { "a", 1 }, { "}", 2 } };', (Offer('@["}"]'),)),
        (f'string @(R"x({string})x");', (Offer('@', 'string'),)),
        ('int @[] = { 1, 2, 3 };', (Offer('@[2]'), Offer('@', 'array'))),
        ('auto @ = std::make_pair(1, 2);', (Offer('@.second'),)),
        ('std::vector<std::vector<int>> @{ { 1 }, { 2, 3 } };', (Offer('@[1][1]'),)),
        ('auto @ = std::make_unique<int>(5);', (Offer('*@'),)),
        ('double @ = 2.5;', (Offer('@', 'double'),)), ('std::tuple<int, char> @{ 4, \'}\' };',
                                                       (Offer('std::get<0>(@)'),)),
        ('bool @ = 1 < 2;', (Offer('@', 'bool'),)), ('const char *@ = u8"' + string + '";',
                                                     (Offer('strlen(@)', 'ulong'),)))
    offers = tuple(Offer(offer.text.replace('@', name), offer.kind) for offer in offers)
    return Piece('object', text.replace('@', name), 'either', offers)


def static_assert(b):
    return Piece('static_assert', b.pick('static_assert(sizeof(int) == 4, "it\'s {4}");',
                                         'static_assert(true, "template<");'), b.pick('file', 'main'))


def define(b):
    name, term = b.fresh(('ONE', 'TWO', 'MAX_', 'print', 'EACH')), b.term(constant=True)
    if b.rng.random() < 0.5:
        return Piece('#define', b.pick(f'#define {name} {b.number()}', f'#define {name} ({term.text} + 1)',
                                       f'#define {name} \\\n  ({term.text}) // don\'t'),
                     'file', (Offer(name, constant=True),), use('', term), whole=True)
    return Piece('#define f()', f'#define {name}(v) ((v) * 2)', 'file', call(b, name), whole=True)


def conditional(b):
    name, term = b.fresh(), b.term(constant=True)
    live, dead = f'auto {name}(int v) -> int {{ return v + {term.text}; }}', f'struct {name} {{ it is dead }};'
    text = b.pick(f'#if __cplusplus >= 201103L\n{live}\n#else\n{dead}\n#endif',
                  f'#ifdef NOSUCH\n{dead}\n#else\n{live}\n#endif',
                  f"#if 0\nit's not C++: {dead}\n#endif\n{live}", f'#ifdef NOSUCH\nnamespace old {{\n#endif\n{live}')
    return Piece('conditional', text, 'file', call(b, name), use('', term), whole=True)


def own_ints(b):
    return [(piece, offer) for piece in b.pieces if piece.kind == 'variable' and 'const' not in piece.text
            for offer in piece.offers
            if offer.kind == 'int']


def statement(b):
    variables, term = own_ints(b), b.term()
    if not variables:
        text = b.pick('{ }', ';', 'if (false) { return 1; }', 'for (;;) { break; }', '(void)(%s);',
                      'try { throw 1; } catch (...) { }',
                      'for (auto q : { 1, 2 }) { (void)q; }', '[] { int q = 1; (void)q; }();')
        return Piece('statement', text % term.text if '%s' in text else text, 'main', (), use('', term))
    offer = b.rng.choice(variables)[1]
    text = b.pick('@ += %s;', '@ = %s;', '@++;', 'if (@ > 2) { @ = %s; }', 'if (@ > 2) @ = %s; else { @ = 1; }',
                  'for (int i = 0; i < 4; i++) { @ += i; }',
                  'for (auto q : std::vector<int>{ 1, 2, 3 }) { @ += q; }', 'while (@ < 20) { @ += 7; }',
                  'do { @ += 3; } while (@ < 9);',
                  'switch (@) { case 1: @ = 5; break; case 2: if (@ > 1) { @ = 6; } break; default: @ = %s; }',
                  '[&] { @ += 2; }();',
                  'try { throw %s; } catch (int e) { @ = e; }', '{ int t = %s; @ = t; }',
                  '@ = string("{it\'s; }").size();', "@ = 1'000;",
                  'if (not @) { @ = 1; } else if (@ == 2) { @ = 3; } else { @ = %s; }', '@ = R"(a"b)"[1];',
                  'for (int i : { 1, 2 }) @ += i;')
    text = text.replace('@', offer.text)
    return Piece('statement', text % term.text if '%s' in text else text, 'main', (), use('', offer, term))


def printing(b):
    term = b.term()
    return Piece('printing', b.pick(f'puts("{b.string()}");', f'cout << {term.text} << "{b.string()}" << endl;',
                                    f'std::cout << R"({{"{b.string()})" << "\\n";',
                                    f'if (1) {{ cout << "{b.string()}\\n"; }}',
                                    'cout << \'}\' << \'"\' << \'\\\'\' << endl;',
                                    f'for (auto q : {{ 1, 2 }}) cout << q + {term.text} << "\\n";'), 'main', (),
                 use('', term))


printing.prints = True


def values(b):
    every = [offer for piece in b.pieces for offer in piece.offers]
    if every and b.rng.random() < 0.35:
        return b.rng.choice(every)
    one, two, string = b.term(), b.term(), b.string()
    text, kind = b.pick(
        ('%s + %s', 'int'), ('-%s', 'int'), ('not %s', 'bool'), ('!%s', 'bool'), ('%s > %s', 'bool'),
        ('%s == %s', 'bool'), ('%s ? 3 : 4', 'int'),
        ('sizeof(int) * 2', 'ulong'), ('sizeof(std::array<int, 3>)', 'ulong'), ("sizeof 'a'", 'ulong'),
        ('[](int q) { return q * 2; }(%s)', 'int'),
        ('[&] { return %s; }()', 'int'), ('std::vector<int>{ 1, 2, 3 }.size()', 'ulong'),
        ('std::vector<int>{ 1, 2, 3 }', 'vector'),
        (f'string("{string}")', 'string'), (f'std::string("{string}").size()', 'ulong'),
        (f'string(R"({string})")', 'string'), ('*new int(%s)', 'int'),
        ('int{%s}', 'int'), ('int(%s) * 2', 'int'), ('static_cast<long>(%s)', 'long'), ("1'000 + %s", 'int'),
        ('std::max(%s, %s)', 'int'),
        ('std::max<int>(%s, 2)', 'int'), ('std::pair<int, int>{ 1, %s }.second', 'int'), ('%s / 2.0', 'double'),
        ('0b101 + %s', 'int'),
        ('vector<string>{ "a", "}" }[1]', 'string'), ('true and %s', 'bool'), ('(%s, 4)', 'int'), ("'{' + %s", 'int'),
        ("'\"' + 1", 'int'),
        ('std::is_same<int, long>::value', 'bool'), ('decltype(1){%s}', 'int'), ('%s <= 3 || %s > 2', 'bool'),
        ('std::string("a") < std::string("b")', 'bool'),
        ('std::make_tuple(1, 2) == std::make_tuple(1, 2)', 'bool'),
        ('[] { return vector<int>{ 1, 2 }; }().size()', 'ulong'),
        ('abs(-%s)', 'int'),
        ('int(sizeof(struct Anon_ *))', 'int'), ('std::string{ "x" } + "}"', 'string'),
        ('"string"[%s & 3] == \'t\'', 'bool'))
    filled = {0: (), 1: (one.text,), 2: (one.text, two.text)}[text.count('%s')]
    return Offer(text % filled if filled else text, kind, needs=one.needs | two.needs)


def value(b):
    offer = values(b)
    return Piece('value', offer.text + ';', 'main', (), offer.needs, last='value', expression=offer)


def declaration(b):
    name, term = b.fresh(), b.term()
    text, kind = b.pick(('int @[] = { 1, 2, %s };', 'array'), ('int @{%s};', 'int'), ('auto @ = %s;', 'int'),
                        ('std::vector<int> @{ 1, 2, 3 };', 'vector'),
                        ('std::string @ = "{%s}";', 'string'), ('double @ = %s / 2.0;', 'double'),
                        ('bool @ = %s < 3;', 'bool'))
    inside = escaped(term.text) if kind == 'string' else term.text
    text = text.replace('@', name) % inside if '%s' in text else text.replace('@', name)
    if text.startswith('auto') and not term.text.isdigit():
        text, kind = f'int {name} = {term.text};', 'int'
    return Piece('declaration', text, 'main', (), use('', term), last='declaration', expression=Offer(name, kind))


def output(b):
    term, string = b.term(), b.string()
    return Piece('output', b.pick(f'cout << {term.text} << "{string}" << endl;', f'std::cout << R"x({string}")x" << 5;',
                                  f'printf("%d\\n", (int)({term.text}));',
                                  f'for (auto q : {{ 1, 2 }}) {{ cout << q << "{string}"; }}',
                                  f'{{ cout << "{string}"; }}',
                                  f'for (int i = 0; i < 2; i++) {{ cout << i + {term.text}; }}'), 'main', (),
                 use('', term), last='output')


def main(b):
    term = b.term()
    head = b.pick('int main()', 'int main(void)', 'int main(int argc, char *argv[])', 'int main(int argc, char **argv)',
                  'auto main() -> int', 'int\nmain()\n',
                  'int main( )', 'signed main()', 'int main() /* } */', 'int main(int, char **)', 'int main() try')
    inner = b.pick('cout << %s << endl;', 'for (auto q : { 1, 2 }) { std::cout << q + %s; }',
                   'if (1) { printf("%%d\\n", (int)(%s)); }') % term.text
    text = f'{head} {{ {inner} {b.pick("", "return 0;")} }}'
    if head.endswith('try'):
        text += ' catch (...) { }'
    return Piece('main', text, 'file', (), use('', term), last='main')


def guarded_main(b):
    piece = main(b)
    while '\n' in piece.text:
        piece = main(b)
    piece.kind, dead = 'two mains', b.pick('int main() { return 3; }', "it's not C++ {")
    piece.text = b.pick('#ifdef NOSUCH\n%(dead)s\n#else\n%(live)s\n#endif',
                        '#if 1\n%(live)s\n#else\n%(dead)s\n#endif') % {'dead': dead, 'live': piece.text}
    piece.whole = True
    return piece


MAKERS = [function, function, function, container_function, container_function, template, template, class_template,
          klass, klass, klass, operator,
          operator, namespace, namespace, using, lambda_variable, variable, variable, object_, object_, static_assert,
          define, conditional, statement,
          statement, statement, printing]
ENDINGS = [(Ending(value), 10), (Ending(declaration), 2), (Ending(output, prints=True), 3),
           (Ending(main, main=True), 4),
           (Ending(guarded_main, main=True), 1)]
for maker in (statement, printing, lambda_variable):
    maker.inside = True

SHOW = {
    # As the debugger quotes it.
    'string': '{{ std::string s_ = {0}; std::cout << \'"\'; for (char c_ : s_) {{ if (c_ == \'"\' || c_ == \'\\\\\') '
              'std::cout << \'\\\\\'; std::cout << c_; }} std::cout << \'"\'; }}',
    'int': 'std::cout << (int)({0});', 'long': 'std::cout << (long)({0});',
    'ulong': 'std::cout << (unsigned long)({0});',
    'double': 'std::cout << (double)({0});', 'bool': 'std::cout << std::boolalpha << bool({0});',
    'vector': '{{ auto v_ = {0}; std::cout << "std::vector of length " << v_.size() << ", capacity " << v_.capacity() << " = {{"; '
              'for (std::size_t i_ = 0; i_ < v_.size(); i_++) std::cout << (i_ ? ", " : "") << v_[i_]; std::cout << "}}"; }}',
    'array': 'for (int i_ = 0; i_ < 3; i_++) std::cout << (i_ ? ", " : "{{") << {0}[i_]; std::cout << "}}";',
}


def line(code, newlines):
    return json.dumps({'nick': 'n', 'channel': '#o', 'lang': 'c++', 'code': code}) if newlines else '-lang=c++ ' + code


def program(snippet):
    """The program by hand, for g++: what the snippet finds in scope is that of the prelude."""
    outside, inside = snippet.by_hand()
    last = snippet.pieces[-1]
    text = '#include <hand.hpp>\n' + '\n'.join(piece.code for piece in outside) + '\n'
    if last.last == 'main':
        return renamed(text, HEADER_NAMES + ('is_same',))
    body_ = [piece.code for piece in inside if piece.last != 'value']
    if last.last in ('value', 'declaration'):
        body_.append(SHOW[last.expression.kind].format(last.expression.text))
    text += 'int main()\n{\n' + '\n'.join(body_) + '\nreturn 0;\n}\n'
    return renamed(text, HEADER_NAMES + ('is_same',))


SOURCE = 'hand.cpp'
COMMANDS = [['g++', '-std=c++14', '-w', SOURCE, '-o', 'hand'], ['./hand']]
