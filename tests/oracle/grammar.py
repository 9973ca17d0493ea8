# SPDX-License-Identifier: LGPL-2.1-or-later
"""Snippets from pieces. A piece is what may stand at the top level of a snippet: its text, where it belongs in a program
that is written by hand, and what later pieces may say of it. A snippet is a random sequence of pieces whose last one
is an expression, a declaration, what prints, or a main; the program written by hand is made of the same pieces and
tells the value that the snippet must show."""

import re
import dataclasses

# What stands in a comment or in a literal is no code, whatever it looks like.
COMMENTS = ("it's", '5" disk', '{', '}', 'int main() { return 1; }', 'x = 5;', '#include <nosuch.h>', '"unclosed', "'",
            'if (x) {', 'template<class T>', '#endif', 'case 1:', 'R"(', '(', ')', 'plain words', 'struct A;',
            '// more',
            'a; b; c', 'return 0;', '<% %>', 'public static void main(String[] a) {', '-5', '"""', '@Override')
STRINGS = ('what is it for', 'http://x.org', '{', '}', 'a = b', '/* no */', ';', "it's", r'\"quoted\"', 'if (x) {',
           'int main() {', '#define A 1', r'back\\slash', 'case 1:', '(', ')', 'return', '// text', '-5', "'", ',',
           'else',
           '; }', 'main(', 'print(x)', '#endif', 'while (1)', '??', '<%', '[[', 'R(x)', 'class prog {')
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|R"(\w*)\(.*?\)\1"|"""[\s\S]*?"""|"(?:\\.|[^"\\])*"|\.?\d(?:[\w.]|\'\w)*|'
                   r"'(?:\\.|[^'\\])*'|( )|.", re.S)


@dataclasses.dataclass
class Offer:
    """An expression that later pieces may use. constant: also in the initializer of a static variable."""
    text: str
    kind: str = 'int'
    constant: bool = False
    needs: frozenset = frozenset()


@dataclasses.dataclass
class Piece:
    """place: 'file', 'main', or 'either': at file scope if something there uses it. whole: with the line's end that it
    must have, for what begins with #."""
    kind: str
    text: str
    place: str = 'main'
    offers: tuple = ()
    needs: frozenset = frozenset()
    whole: bool = False
    mess: str = ''       # the text with comments in it
    before: str = ''     # a comment in front
    last: str = ''       # of the last piece: value, declaration, output or main
    expression: Offer = None
    by_hand: str = None  # if another text than the snippet's
    own: str = ''        # its name among what offers need

    @property
    def code(self):
        return self.text if self.by_hand is None else self.by_hand


def escaped(text):
    """For within a string literal."""
    return text.replace('\\', r'\\').replace('"', r'\"')


def use(text, *offers):
    """The needs of a text that is made of these offers."""
    return frozenset().union(*(offer.needs for offer in offers)) if offers else frozenset()


class Builder:
    """What a maker of pieces gets: fresh names, what earlier pieces offer, and luck."""

    def __init__(self, rng, names):
        self.rng, self.pieces, self.taken = rng, [], set()
        self.names = names

    def pick(self, *choices):
        return self.rng.choice(choices)

    def number(self, low=1, high=9):
        return self.rng.randint(low, high)

    def fresh(self, more=()):
        """A name that nothing has yet."""
        while True:
            name = self.rng.choice(list(more) or self.names)
            if name in self.taken:
                name += str(self.rng.randint(1, 99))
            if name not in self.taken:
                self.taken.add(name)
                return name

    def offers(self, kind='int', constant=False):
        return [offer for piece in self.pieces for offer in piece.offers
                if offer.kind == kind and (offer.constant or not constant)]

    def term(self, constant=False):
        """An int of earlier pieces, or a literal."""
        offers = self.offers('int', constant)
        if offers and self.rng.random() < 0.7:
            return self.rng.choice(offers[-6:])
        return Offer(str(self.number()), constant=True)

    def comment(self, newlines):
        text = self.rng.choice(COMMENTS)
        if newlines and self.rng.random() < 0.5:
            return f'// {text}\n'
        return f'/* {text} */'

    def string(self):
        return self.rng.choice(STRINGS)

    def add(self, piece):
        """The piece's own name joins what its offers need."""
        own = f'{piece.kind}#{len(self.pieces)}'
        piece.offers = tuple(dataclasses.replace(offer, needs=frozenset({own})) for offer in piece.offers)
        piece.own = own
        self.pieces.append(piece)
        return piece


def renamed(text, names):
    """Who writes by hand chooses names that no header has."""
    return re.sub(r'(?<!std::)\b(' + '|'.join(names) + r')\b', r'own_\1', text)


def sprinkle(builder, text, newlines):
    """Comments in place of some blanks that stand outside of literals."""
    parts = []
    for match in TOKEN.finditer(text):
        if match.group(2) and builder.rng.random() < 0.08:
            parts.append(f' {builder.comment(newlines)} ')
        else:
            parts.append(match.group())
    return ''.join(parts)


@dataclasses.dataclass
class Ending:
    """How a snippet ends. prints: pieces that print may stand before it; main: it is a complete program."""
    maker: object
    prints: bool = False
    main: bool = False


@dataclasses.dataclass
class Snippet:
    language: object
    pieces: list
    newlines: bool      # sent as JSON with newlines, else as a line
    finished: bool      # the last one with its semicolon
    trailing: str = ''  # a comment behind the last
    number: int = 0

    def code(self):
        text, end = '', '\n' if self.newlines else '\\n'
        for piece in self.pieces:
            own = piece.mess or piece.text
            if piece is self.pieces[-1] and not self.finished and own.endswith(';'):
                own = own[:-1]
            if not self.newlines:
                # A directive has lines of its own, whose ends \\n stands for; none goes on, none ends in a comment.
                own = re.sub(r' // [^\n]*', '', own) if piece.whole else own
                own = own.replace('\\\n', '').replace('\n', end if piece.whole else ' ')
            if piece.whole and text and not text.endswith(end):
                text += end
            text += piece.before + own + (end if piece.whole or self.newlines else ' ')
        text = text if self.pieces[-1].whole else text.rstrip()
        return text + (' ' + self.trailing if self.trailing else '')

    def line(self):
        """What is sent to port 9000."""
        return self.language.line(self.code(), self.newlines)

    def kinds(self):
        return ' + '.join(piece.kind for piece in self.pieces)

    def by_hand(self):
        """The program that a person would write: (at file scope, in main, what is to be shown)."""
        needed = set()
        for piece in reversed(self.pieces):
            if piece.place == 'file' or (piece.place == 'either' and piece.own in needed):
                needed |= piece.needs
        complete = self.pieces[-1].last == 'main'
        outside = [piece for piece in self.pieces
                   if complete or piece.place == 'file' or (piece.place == 'either' and piece.own in needed)]
        return outside, [piece for piece in self.pieces if piece not in outside]

    def without(self, index):
        """The snippet without a piece and what needs it; None if the last one would go."""
        gone, kept = {self.pieces[index].own}, []
        for i, piece in enumerate(self.pieces):
            if i == index or piece.needs & gone:
                gone.add(piece.own)
            else:
                kept.append(piece)
        if not kept or kept[-1] is not self.pieces[-1]:
            return None
        return dataclasses.replace(self, pieces=kept)

    def plain(self):
        """The snippet without its comments."""
        pieces = []
        for piece in self.pieces:
            pieces.append(dataclasses.replace(piece, mess='', before=''))
        return dataclasses.replace(self, pieces=pieces, trailing='')


def generate(rng, language, number):
    """One snippet."""
    builder = Builder(rng, language.NAMES)
    newlines = rng.random() < 0.4
    ending = rng.choices(*zip(*language.ENDINGS))[0]
    makers = [maker for maker in language.MAKERS if ending.prints or not getattr(maker, 'prints', False)]
    if ending.main:
        makers = [maker for maker in makers if not getattr(maker, 'inside', False)]
    local = set()  # pieces that can be in main alone, and what needs them
    for _ in range(rng.randint(0, 6)):
        piece = rng.choice(makers)(builder)
        if not piece or (piece.place == 'file' and piece.needs & local):
            continue
        builder.add(piece)
        if piece.place == 'main' or piece.needs & local:
            local.add(piece.own)
    builder.add(ending.maker(builder))
    for piece in builder.pieces:
        if piece.whole:
            continue
        if rng.random() < 0.4:
            piece.mess = sprinkle(builder, piece.text, newlines)
        if rng.random() < 0.15:
            piece.before = builder.comment(newlines) + ' '
    # A text block cannot stand on one line, nor words that are no code: \\n in them might be a literal's.
    newlines = newlines or any('"""' in piece.text or "it's not" in piece.text for piece in builder.pieces)
    trailing = ''
    if not builder.pieces[-1].whole and rng.random() < 0.25:
        trailing = builder.comment(True).rstrip('\n')
    return Snippet(language, builder.pieces, newlines, rng.random() < 0.5, trailing, number)
