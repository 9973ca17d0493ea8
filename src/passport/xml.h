/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Questions to a document of libvirt's. Without a document all answers are empty. */

#include <libxml/tree.h>

#include "common/text.h"

/* NULL for what is no XML, or without memory. Freed with xml_free(). */
xmlDocPtr xml_parse(const char *text);
void xml_free(xmlDocPtr document);
static inline void xml_freep(xmlDocPtr *document) {
        xml_free(*document);
}

/* How many nodes an XPath leads to. */
size_t xml_count(xmlDocPtr document, const char *path);
/* The content of the node at position i among them (from 0), freed by the caller; NULL if there is none. */
char *xml_string(xmlDocPtr document, const char *path, size_t i);
/* The same as a natural number; 0 if it is none. */
uint64_t xml_number(xmlDocPtr document, const char *path, size_t i);
/* Whether one of them is that number. */
bool xml_has_number(xmlDocPtr document, const char *path, uint64_t number);
