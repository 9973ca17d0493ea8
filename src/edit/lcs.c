/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "edit/lcs.h"

/* One pair of equal elements, and the pair before it in the best subsequence that ends here. */
typedef struct Link {
        uint32_t previous, a, b;
} Link;

/* Positions of each value in b: positions[start[v]..start[v+1]-1], descending. */
typedef struct Index {
        uint32_t *start, *positions;
        size_t n_values;
} Index;

typedef struct Search {
        Link *links;
        size_t n_links;
        uint32_t *threshold; /* the smallest end in b of a common subsequence of length k + 1 */
        uint32_t *last;      /* its link */
        size_t length;
} Search;

static void index_done(Index *index) {
        free(index->start);
        free(index->positions);
}

static void search_done(Search *search) {
        free(search->links);
        free(search->threshold);
        free(search->last);
}

static int index_make(const uint32_t *b, size_t n_b, size_t n_values, Index *index) {
        index->n_values = n_values;
        index->start = calloc(n_values + 2, sizeof(uint32_t));
        index->positions = calloc(n_b + 1, sizeof(uint32_t));
        if (!index->start || !index->positions)
                return -ENOMEM;

        for (size_t j = 0; j < n_b; j++)
                index->start[b[j] + 2]++;
        for (size_t v = 2; v < n_values + 2; v++)
                index->start[v] += index->start[v - 1];
        for (size_t j = n_b; j-- > 0;)
                index->positions[index->start[b[j] + 1]++] = (uint32_t)j;
        return 0;
}

static size_t count_pairs(const uint32_t *a, size_t n_a, const Index *index) {
        size_t pairs = 0;

        for (size_t i = 0; i < n_a && pairs <= LCS_PAIRS_MAX; i++)
                if (a[i] < index->n_values)
                        pairs += index->start[a[i] + 1] - index->start[a[i]];
        return pairs;
}

/* Takes the pair as the end of the shortest-ending subsequence of its length; one that ends there already
 * stays. */
static void add_pair(Search *search, uint32_t i, uint32_t j) {
        size_t low = 0, high = search->length;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (search->threshold[middle] == j)
                        return;
                if (search->threshold[middle] < j)
                        low = middle + 1;
                else
                        high = middle;
        }

        search->links[search->n_links] = (Link){ low > 0 ? search->last[low - 1] : LCS_NONE, i, j };
        search->last[low] = (uint32_t)search->n_links++;
        search->threshold[low] = j;
        if (low == search->length)
                search->length++;
}

static int match_middle(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b, size_t offset,
        size_t n_values, uint32_t *match) {
        _cleanup_(index_done) Index index = {};
        _cleanup_(search_done) Search search = {};

        int r = index_make(b, n_b, n_values, &index);
        if (r < 0)
                return r;
        size_t pairs = count_pairs(a, n_a, &index), longest = MIN(n_a, n_b);
        if (pairs > LCS_PAIRS_MAX)
                return 0;

        search.links = calloc(pairs + 1, sizeof(Link));
        search.threshold = calloc(longest + 1, sizeof(uint32_t));
        search.last = calloc(longest + 1, sizeof(uint32_t));
        if (!search.links || !search.threshold || !search.last)
                return -ENOMEM;

        for (size_t i = 0; i < n_a; i++)
                if (a[i] < n_values)
                        for (uint32_t p = index.start[a[i]]; p < index.start[a[i] + 1]; p++)
                                add_pair(&search, (uint32_t)i, index.positions[p]);

        uint32_t link = search.length > 0 ? search.last[search.length - 1] : LCS_NONE;
        for (; link != LCS_NONE; link = search.links[link].previous)
                match[search.links[link].a] = search.links[link].b + (uint32_t)offset;
        return 0;
}

int lcs(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b, uint32_t *match) {
        size_t start = 0, end = 0, n_values = 0;

        for (size_t i = 0; i < n_a; i++)
                match[i] = LCS_NONE;
        for (; start < n_a && start < n_b && a[start] == b[start]; start++)
                match[start] = (uint32_t)start;
        for (; start + end < n_a && start + end < n_b && a[n_a - 1 - end] == b[n_b - 1 - end]; end++)
                match[n_a - 1 - end] = (uint32_t)(n_b - 1 - end);

        for (size_t j = start; j < n_b - end; j++)
                n_values = MAX(n_values, (size_t)b[j] + 1);
        return match_middle(
                a + start, n_a - start - end, b + start, n_b - start - end, start, n_values, match + start);
}
