/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a snippet of C or C++ finds in scope besides the standard headers: dump(), print(), ptype(),
 * whatis(), trace(), watch() and gdb(), which the debugger answers while the program runs (without it they
 * do nothing); printf() with %b for binary numbers; standard output without a buffer, so that it comes in
 * order with the debugger's; and print_last_statement(), which the host puts around the last expression of a
 * snippet.
 *
 * It works with every standard from C89 and C++98 on, with gcc and clang, at every level of optimisation.
 * Names that a program may not use begin with two underscores. */
#ifndef PBOTVM_PRELUDE_H
#define PBOTVM_PRELUDE_H

/* No warnings from here, and no notes "in expansion of macro". */
#pragma GCC system_header

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#ifdef __GLIBC__
#include <printf.h>
#endif

#ifdef __cplusplus
extern "C++" {
#endif

/* What is not the user's is not watched for the user. */
#if defined(__clang__)
#define __PBOTVM_OWN __attribute__((__used__, __no_sanitize__("undefined", "integer", "alignment")))
#else
#define __PBOTVM_OWN __attribute__((__used__, __no_sanitize__("undefined")))
#endif

/* The debugger has a breakpoint here and finds what is asked in the arguments. The assembler keeps them
 * alive. */
__PBOTVM_OWN __attribute__((__noinline__)) static void __pbotvm_ask(
        const char *command, unsigned long size) {
        __asm__ __volatile__("" : : "r"(command), "r"(size) : "memory");
}

/* Likewise; value is where the last expression's value lies, NULL if it has none. */
__PBOTVM_OWN __attribute__((__noinline__)) static void __pbotvm_last(
        const char *expression, unsigned long size, const volatile void *value) {
        __asm__ __volatile__("" : : "r"(expression), "r"(size), "r"(value) : "memory");
}

/* What the program has a name for itself, the command line hides here. */
#ifdef __PBOTVM_NO_gdb
#define __PBOTVM_GDB __pbotvm_gdb
#else
#define __PBOTVM_GDB gdb
#endif

__PBOTVM_OWN __attribute__((__noinline__)) static void __PBOTVM_GDB(const char *command) {
        __pbotvm_ask(command, __builtin_strlen(command));
        /* Not a jump, or the caller's frame would be one nearer. */
        __asm__ __volatile__("" : : : "memory");
}

#ifndef __PBOTVM_NO_dump
#define dump(...) __PBOTVM_GDB("dump " #__VA_ARGS__)
#endif
#ifndef __PBOTVM_NO_print
#define print(...) __PBOTVM_GDB("print " #__VA_ARGS__)
#endif
#ifndef __PBOTVM_NO_ptype
#define ptype(...) __PBOTVM_GDB("ptype " #__VA_ARGS__)
#endif
#ifndef __PBOTVM_NO_whatis
#define whatis(...) __PBOTVM_GDB("whatis " #__VA_ARGS__)
#endif
#ifndef __PBOTVM_NO_trace
#define trace(...) __PBOTVM_GDB("trace " #__VA_ARGS__)
#endif
#ifndef __PBOTVM_NO_watch
#define watch(...) __PBOTVM_GDB("watch " #__VA_ARGS__)
#endif

#ifdef __GLIBC__
/* The debugger takes sanitizers' reports apart from what the program itself writes to standard error; it has
 * put a pipe at this descriptor. Called before each report: what was written before is waited for, so all
 * stays in order. The child of a fork begins anew: the sanitizer closes what its parent had set. */
#define __PBOTVM_REPORTS_FD 250L
#define __PBOTVM_IS_PIPE(fd) (__fcntl((int)(fd), 1032 /* F_GETPIPE_SZ */) > 0)
#ifdef __cplusplus
extern "C" {
#endif
extern int __fcntl(int, int, ...);
extern int __poll(void *, unsigned long, int);
extern int __pbotvm_ioctl(int, unsigned long, ...) __asm__("ioctl");
extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *);
extern void __sanitizer_set_report_fd(void *) __attribute__((__weak__));
void __ubsan_on_report(void);
__PBOTVM_OWN static void __pbotvm_forked(void) {
        __sanitizer_set_report_fd((void *)2);
}
__PBOTVM_OWN void __ubsan_on_report(void) {
        enum { fionread = 0x541B };
        static int registered;
        int saved = errno, unread = 0, tries;

        if (__sanitizer_set_report_fd && __PBOTVM_IS_PIPE(__PBOTVM_REPORTS_FD)) {
                for (tries = 0; tries < 1000 && __PBOTVM_IS_PIPE(2) &&
                                __pbotvm_ioctl(2, fionread, &unread) == 0 && unread > 0;
                        tries++)
                        (void)__poll(0, 0, 1);
                if (!registered++)
                        (void)__register_atfork(0, 0, __pbotvm_forked, 0);
                __sanitizer_set_report_fd((void *)__PBOTVM_REPORTS_FD);
        }
        errno = saved;
}
#ifdef __cplusplus
}
#endif

__PBOTVM_OWN static unsigned long long __pbotvm_binary_value(
        const struct printf_info *info, const void *argument) {
        if (info->is_long_double)
                return *(const unsigned long long *)argument;
        if (info->is_long)
                return *(const unsigned long *)argument;
        if (info->is_short)
                return (unsigned short)*(const unsigned *)argument;
        if (info->is_char)
                return (unsigned char)*(const unsigned *)argument;
        return *(const unsigned *)argument;
}

/* %b: # fills up to groups of four digits, which a ' behind it parts by dots unless 0 fills the width;
 * width, precision, 0 and - as in %x. */
__PBOTVM_OWN static int __pbotvm_binary(
        FILE *stream, const struct printf_info *info, const void *const *args) {
        char digits[512];
        unsigned long long value = __pbotvm_binary_value(info, args[0]), rest = value;
        int end = (int)sizeof(digits), first = end, least = info->prec > 0 ? info->prec : 1, n = 0, dots, i;

        if (info->width > 256 || least > 256)
                return -1;
        for (; rest || n < least || (info->alt && n % 4); n++)
                rest >>= 1;
        dots = info->alt && info->group && (info->pad != '0' || info->left || info->width <= n);
        for (i = 0; i < n; i++) {
                if (dots && i > 0 && i % 4 == 0)
                        digits[--first] = '.';
                digits[--first] = (char)('0' + (value & 1));
                value >>= 1;
        }
        if (info->pad == '0' && !info->left)
                while (end - first < info->width)
                        digits[--first] = '0';
        for (i = end - first; !info->left && i < info->width; i++)
                putc(' ', stream);
        fwrite(digits + first, 1, (size_t)(end - first), stream);
        for (i = end - first; info->left && i < info->width; i++)
                putc(' ', stream);
        return end - first > info->width ? end - first : info->width;
}

__PBOTVM_OWN static int __pbotvm_binary_argument(
        const struct printf_info *info, size_t n, int *types, int *size) {
        if (n > 0)
                types[0] = PA_INT | (info->is_long_double   ? PA_FLAG_LONG_LONG
                                            : info->is_long ? PA_FLAG_LONG
                                                            : 0);
        (void)size;
        return 1;
}
#endif

__PBOTVM_OWN __attribute__((__constructor__)) static void __pbotvm_prelude(void) {
        (void)setlocale(LC_ALL, "C.UTF-8");
        (void)setvbuf(stdout, NULL, _IONBF, 0);
#ifdef __GLIBC__
        (void)register_printf_specifier('b', __pbotvm_binary, __pbotvm_binary_argument);
        if (__PBOTVM_IS_PIPE(__PBOTVM_REPORTS_FD))
                (void)__fcntl((int)__PBOTVM_REPORTS_FD, 2 /* F_SETFD */, 1 /* FD_CLOEXEC */);
#endif
        errno = 0;
}

/* The constructor's address stands in a section of its own; assembler of the user's goes on with code. */
__asm__(".text");

/* The value of the last expression, as the compiler has it: stored where the debugger finds it, with its
 * type. An array or a function stays one. In C the expression stands here three times and is evaluated once;
 * one without a value is a statement of its own, so that the compiler warns as ever. */
#ifndef __cplusplus
/* A bit-field has no type of its own; its promoted value has. The compiler's complaint brings the
 * definition.
 */
#ifdef __PBOTVM_BIT_FIELD
#define __PBOTVM_EXPRESSION(...) (+(__VA_ARGS__))
#else
#define __PBOTVM_EXPRESSION(...) (__VA_ARGS__)
#endif
#ifdef __PBOTVM_ONCE
/* One that defines a type or an enumerator cannot stand here three times. */
#define print_last_statement(...)                                                                           \
        __extension__({                                                                                     \
                __auto_type __pbotvm_value = (__VA_ARGS__);                                                 \
                __typeof__(__pbotvm_value) *volatile __pbotvm_place = &__pbotvm_value;                      \
                __asm__ __volatile__("" : : "r"(__pbotvm_place) : "memory");                                \
                __pbotvm_last(#__VA_ARGS__, sizeof(#__VA_ARGS__) - 1, __pbotvm_place);                      \
                __asm__ __volatile__("" : : : "memory");                                                    \
        })
#else
#define print_last_statement(...)                                                                           \
        __extension__({                                                                                     \
                __typeof__(__PBOTVM_EXPRESSION(__VA_ARGS__)) *__pbotvm_type = 0;                            \
                enum { __pbotvm_void = __builtin_types_compatible_p(__typeof__(*__pbotvm_type), void) };    \
                __builtin_choose_expr(__pbotvm_void, (__VA_ARGS__), (void)0);                               \
                __auto_type __pbotvm_value =                                                                \
                        __builtin_choose_expr(__pbotvm_void, 0, __PBOTVM_EXPRESSION(__VA_ARGS__));          \
                /* An array or a function has become a pointer (5). */                                      \
                enum {                                                                                      \
                        __pbotvm_decays = __builtin_classify_type(__pbotvm_value) == 5 &&                   \
                                          !__builtin_types_compatible_p(                                    \
                                                  __typeof__(*__pbotvm_type), __typeof__(__pbotvm_value))   \
                };                                                                                          \
                __typeof__(*__builtin_choose_expr(                                                          \
                        __pbotvm_decays, __pbotvm_type, &__pbotvm_value)) *volatile __pbotvm_place = 0;     \
                const volatile void *__pbotvm_address = &__pbotvm_value;                                    \
                if (__pbotvm_decays)                                                                        \
                        __builtin_memcpy(&__pbotvm_address, (const void *)&__pbotvm_value,                  \
                                sizeof(__pbotvm_address));                                                  \
                (void)__pbotvm_type;                                                                        \
                __pbotvm_place = (__typeof__(__pbotvm_place))__pbotvm_address;                              \
                __asm__ __volatile__("" : : "r"(__pbotvm_address) : "memory");                              \
                __pbotvm_last(                                                                              \
                        #__VA_ARGS__, sizeof(#__VA_ARGS__) - 1, __pbotvm_void ? 0 : __pbotvm_address);      \
                __asm__ __volatile__("" : : : "memory");                                                    \
        })
#endif
#else
}
namespace __pbotvm {
struct Name {
        const char *data;
        unsigned long size;
        Name(const char *d, unsigned long s) : data(d), size(s) {
        }
};
struct Text : Name {
        Text(const char *d, unsigned long s) : Name(d, s) {
        }
};
template <class T> __PBOTVM_OWN __attribute__((__noinline__)) void show(const T &value, const Name &text) {
        T *volatile __pbotvm_place = (T *)__builtin_addressof(value);
        __asm__ __volatile__("" : : "r"(__pbotvm_place) : "memory");
        __pbotvm_last(text.data, text.size, (const volatile void *)__pbotvm_place);
        __asm__ __volatile__("" : : : "memory");
}
/* Objects, arrays and functions: only of the last const changes nothing. */
template <class T> struct IsConst {
        enum { value = false };
};
template <class T> struct IsConst<const T> {
        enum { value = true };
};
template <class T> struct IsPlace {
        enum { value = __is_class(T) || __is_union(T) || !IsConst<const T>::value };
};
template <class T> struct IsPlace<T[]> {
        enum { value = true };
};
template <class T, unsigned long N> struct IsPlace<T[N]> {
        enum { value = true };
};
template <bool> struct If {};
template <> struct If<true> { typedef void Type; };
/* The comma is the built-in one after an expression without a value. */
template <class T>
__PBOTVM_OWN inline typename If<IsPlace<T>::value>::Type operator,(const T &value, const Text &text) {
        __pbotvm::show(value, text);
}
/* Other values are read, as most of what uses them does: a constant member of a class needs no definition
 * then. An array or a function would fit, too, as a pointer; Name makes this one the worse. */
template <class T>
__PBOTVM_OWN inline typename If<!IsPlace<T>::value>::Type operator,(T value, const Name &text) {
        __pbotvm::show(value, text);
}
#if __cplusplus >= 201103L
/* gdb has no value for a type that DWARF calls unspecified. */
__PBOTVM_OWN __attribute__((__noinline__)) inline void operator,(decltype(nullptr), const Text &text) {
        (static_cast<void *>(0), text);
}
#endif
} // namespace __pbotvm
#define print_last_statement(...)                                                                           \
        ((void)((__VA_ARGS__), ::__pbotvm::Text(#__VA_ARGS__, sizeof(#__VA_ARGS__) - 1)))
extern "C++" {
#endif

#ifdef __cplusplus
}
#endif

#endif
