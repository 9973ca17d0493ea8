/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snippet/java-imports.h"

/* In the order in which they are imported. */
static const char *const packages[] = {
        "java.io",
        "java.math",
        "java.nio.charset",
        "java.nio.file",
        "java.text",
        "java.time",
        "java.time.format",
        "java.time.temporal",
        "java.util",
        "java.util.concurrent",
        "java.util.concurrent.atomic",
        "java.util.concurrent.locks",
        "java.util.function",
        "java.util.regex",
        "java.util.stream",
};

/* What an import names: in its .* the package, else the type. */
typedef struct Import {
        const char *name;
        size_t size;
        bool all;
} Import;

static bool import_read(const Source *source, const Piece *piece, Import *ret) {
        const uint32_t first = piece->first + 1, end = piece->end - piece->ended;

        if (source->tokens[piece->first].word != WORD_IMPORT || end < first + 3 ||
                source->tokens[first].word == WORD_STATIC)
                return false;
        const bool all = token_is_sign(&source->tokens[end - 1], SIGN_STAR);
        const size_t begin = source->tokens[all ? first : end - 1].begin;
        *ret = (Import){ source->data + begin, source->tokens[all ? end - 3 : end - 1].end - begin, all };
        return true;
}

static bool import_is(const Import *import, const char *name) {
        return strlen(name) == import->size && memcmp(import->name, name, import->size) == 0;
}

static bool is_known(const Import *import) {
        for (size_t i = 0; i < ELEMENTSOF(packages); i++)
                if (import_is(import, packages[i]))
                        return true;
        return import_is(import, "java.lang");
}

/* All of another package, which may have the same names. */
static bool imports_others(const Pieces *pieces) {
        Import import;

        for (size_t i = 0; i < pieces->n; i++)
                if (pieces->list[i].kind == PIECE_USING &&
                        import_read(pieces->source, &pieces->list[i], &import) && import.all &&
                        !is_known(&import))
                        return true;
        return false;
}

static bool is_imported(const Pieces *pieces, const char *name, const char *package) {
        Import import;

        for (size_t i = 0; i < pieces->n; i++)
                if (pieces->list[i].kind == PIECE_USING &&
                        import_read(pieces->source, &pieces->list[i], &import) &&
                        import_is(&import, import.all ? package : name))
                        return true;
        return false;
}

void java_imports(const Pieces *pieces, bool prelude, Text *to) {
        const Source *source = pieces->source;
        bool used[ELEMENTSOF(packages)] = {};

        if (imports_others(pieces))
                return;
        for (uint32_t i = 0; i < source->n_tokens; i++) {
                const Token *token = &source->tokens[i];
                if (token->kind != TOKEN_WORD || (i > 0 && token_is_sign(token - 1, SIGN_DOT)))
                        continue;
                const size_t k =
                        name_find(&java_type_names, source->data + token->begin, token->end - token->begin);
                if (k == SIZE_MAX)
                        continue;
                const char *name = name_at(&java_type_names, k), *package = name + strlen(name) + 1;
                size_t p = 0;
                while (!streq(packages[p], package))
                        p++;
                used[p] = used[p] || !is_imported(pieces, name, package);
        }
        for (size_t p = 0; p < ELEMENTSOF(packages); p++)
                if (used[p] && !(prelude && streq(packages[p], "java.util")))
                        text_append_printf(to, "import %s.*;\n", packages[p]);
}
