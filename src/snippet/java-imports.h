/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The imports that a snippet of Java lacks. They are on demand, so what it declares itself hides them. */

#include "snippet/header-names.h"
#include "snippet/pieces.h"

/* Types and behind each's NUL its package. */
extern const NameTable java_type_names;

/* Writes "import PACKAGE.*;\n" for each package of which a type is used. prelude: java.util is imported
 * already. Nothing where the snippet itself imports all of a package that may have the same names. */
void java_imports(const Pieces *pieces, bool prelude, Text *to);
