/*
 * policy_line.c - where in a file a mistake stands.
 *
 * libcyaml tells the line of what it cannot read, and keeps none for what it could. The checks come
 * after it, so the file is read once more, by libyaml beneath it, only when there is something to tell.
 */
#include <string.h>

#include <yaml.h>

#include "cli/policy_files.h"

enum { NODES_MAX = 100000 }; /* A policy file has 256 KiB. */

/* A key's node, or 0, and what stands under it. */
static int key_find(yaml_document_t *document, const yaml_node_t *mapping, const char *key, int *ret_value)
{
        if (mapping == NULL || mapping->type != YAML_MAPPING_NODE) {
                return 0;
        }
        for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
             pair < mapping->data.mapping.pairs.top; pair++) {
                const yaml_node_t *node = yaml_document_get_node(document, pair->key);
                if (node != NULL && node->type == YAML_SCALAR_NODE &&
                    node->data.scalar.length == strlen(key) &&
                    memcmp(node->data.scalar.value, key, node->data.scalar.length) == 0) {
                        *ret_value = pair->value;
                        return pair->key;
                }
        }
        return 0;
}

static unsigned line_of(yaml_document_t *document, int node)
{
        const yaml_node_t *found = node == 0 ? NULL : yaml_document_get_node(document, node);
        return found == NULL ? 0 : (unsigned)found->start_mark.line + 1;
}

static unsigned find(yaml_document_t *document, const policy_reading *at, const char *field)
{
        yaml_node_t *where = yaml_document_get_root_node(document);
        int value = 0;
        unsigned line = 0;

        if (at->list != NULL) {
                if (key_find(document, where, at->list, &value) == 0) {
                        return 0;
                }
                const yaml_node_t *list = yaml_document_get_node(document, value);
                if (list == NULL || list->type != YAML_SEQUENCE_NODE ||
                    at->index >= (size_t)(list->data.sequence.items.top - list->data.sequence.items.start)) {
                        return 0;
                }
                const int item = list->data.sequence.items.start[at->index];
                line = line_of(document, item);
                where = yaml_document_get_node(document, item);
        }
        const unsigned exact = line_of(document, key_find(document, where, field, &value));
        return exact != 0 ? exact : line;
}

unsigned policy_line(const policy_reading *at, const char *sentence)
{
        static const char letters[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
        char field[40] = "";
        const size_t len = strspn(sentence, letters);
        yaml_parser_t parser;
        yaml_document_t document;
        unsigned line = 0;

        if (at->yaml.len == 0 || yaml_parser_initialize(&parser) == 0) {
                return 0;
        }
        if (len < sizeof field) {
                memcpy(field, sentence, len); /* A sentence about a field begins with it. */
        }
        yaml_parser_set_input_string(&parser, at->yaml.data, at->yaml.len);
        if (yaml_parser_load(&parser, &document) != 0) {
                if (document.nodes.top - document.nodes.start < NODES_MAX) {
                        line = find(&document, at, field);
                }
                yaml_document_delete(&document);
        }
        yaml_parser_delete(&parser);
        return line;
}
