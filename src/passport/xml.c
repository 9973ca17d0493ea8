/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passport/xml.h"

#include <libxml/parser.h>
#include <libxml/xpath.h>

static void context_freep(xmlXPathContextPtr *context) {
        if (*context)
                xmlXPathFreeContext(*context);
}

static void object_freep(xmlXPathObjectPtr *object) {
        if (*object)
                xmlXPathFreeObject(*object);
}

xmlDocPtr xml_parse(const char *text) {
        return text ? xmlReadMemory(text, (int)strlen(text), NULL, NULL,
                              XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)
                    : NULL;
}

void xml_free(xmlDocPtr document) {
        if (document)
                xmlFreeDoc(document);
}

/* The count; *ret, unless NULL, is the content of the node at position i, or NULL. */
static size_t evaluate(xmlDocPtr document, const char *path, size_t i, char **ret) {
        _cleanup_(context_freep) xmlXPathContextPtr context = document ? xmlXPathNewContext(document) : NULL;
        _cleanup_(object_freep) xmlXPathObjectPtr found = NULL;

        if (context)
                found = xmlXPathEvalExpression((const xmlChar *)path, context);
        if (!found || !found->nodesetval)
                return 0;

        size_t n = (size_t)found->nodesetval->nodeNr;
        if (ret && i < n) {
                xmlChar *content = xmlNodeGetContent(found->nodesetval->nodeTab[i]);
                *ret = content ? strdup((const char *)content) : NULL;
                xmlFree(content);
        }
        return n;
}

size_t xml_count(xmlDocPtr document, const char *path) {
        return evaluate(document, path, 0, NULL);
}

char *xml_string(xmlDocPtr document, const char *path, size_t i) {
        char *content = NULL;

        (void)evaluate(document, path, i, &content);
        return content;
}

uint64_t xml_number(xmlDocPtr document, const char *path, size_t i) {
        _cleanup_free_ char *content = xml_string(document, path, i);

        return content && *content >= '0' && *content <= '9' ? strtoull(content, NULL, 10) : 0;
}

bool xml_has_number(xmlDocPtr document, const char *path, uint64_t number) {
        size_t n = xml_count(document, path);

        for (size_t i = 0; i < n; i++)
                if (xml_number(document, path, i) == number)
                        return true;
        return false;
}
