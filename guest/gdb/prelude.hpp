/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a snippet of C++ finds in scope: the standard library, the namespace std, and prelude.h. */
#ifndef PBOTVM_PRELUDE_HPP
#define PBOTVM_PRELUDE_HPP

#pragma GCC system_header

#include <prelude-library.hpp>

/* A program that has names of std for its own takes the others one by one. */
#ifndef __PBOTVM_NO_NAMESPACE_STD
using namespace std;
#endif

#endif
