/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "watchdog/queue.h"

static const char *const one[] = { "a", NULL };
static const char *const two[] = { "b", NULL };
static const char *const pool[] = { "a", "b", NULL };

static Waiter *add(Queue *queue, const char *sender, const char *const *machines, uint64_t deadline) {
        Waiter *w = waiter_new(sender, machines[0], machines, deadline, NULL);

        assert_non_null(w);
        assert_int_equal(queue_add(queue, w, 3), 0);
        return w;
}

static void empty(Queue *queue) {
        while (queue->first)
                waiter_free(queue_remove(queue, queue->first));
        assert_null(queue->last);
}

static void test_first_come_first_served(void **state _unused_) {
        Queue q = {};

        Waiter *first = add(&q, ":1.1", one, 30), *other = add(&q, ":1.2", two, 20),
               *second = add(&q, ":1.3", one, 10);
        assert_ptr_equal(queue_first(&q, "a"), first);
        assert_ptr_equal(queue_first(&q, "b"), other);
        assert_null(queue_first(&q, "c"));
        assert_int_equal(queue_deadline(&q), 10);
        waiter_free(queue_remove(&q, first));
        assert_ptr_equal(queue_first(&q, "a"), second);
        /* Put back, it is first again. */
        waiter_free(queue_remove(&q, other));
        Waiter *back = waiter_new(":1.4", "a", one, 5, NULL);
        queue_add_first(&q, back);
        assert_ptr_equal(queue_first(&q, "a"), back);
        assert_int_equal(queue_count(&q, "a"), 2);
        empty(&q);
        assert_int_equal(queue_deadline(&q), USEC_INFINITY);
        queue_add_first(&q, waiter_new(":1.4", "a", one, 5, NULL));
        empty(&q);
}

static void test_pools(void **state _unused_) {
        Queue q = {};

        Waiter *w = add(&q, ":1.1", pool, 1);
        assert_ptr_equal(queue_first(&q, "a"), w);
        assert_ptr_equal(queue_first(&q, "b"), w);
        assert_int_equal(queue_count(&q, "b"), 1);
        empty(&q);
}

static void test_bound(void **state _unused_) {
        Queue q = {};

        for (int i = 0; i < 3; i++)
                (void)add(&q, ":1.1", one, 1);
        Waiter *late = waiter_new(":1.2", "a", one, 1, NULL);
        assert_int_equal(queue_add(&q, late, 3), -EBUSY);
        waiter_free(late);
        /* A pool is full when all of it is. */
        Waiter *w = add(&q, ":1.3", pool, 1);
        assert_ptr_equal(queue_first(&q, "b"), w);
        (void)add(&q, ":1.4", two, 1);
        (void)add(&q, ":1.4", two, 1);
        late = waiter_new(":1.5", "pool", pool, 1, NULL);
        assert_int_equal(queue_add(&q, late, 3), -EBUSY);
        waiter_free(late);
        empty(&q);
}

static void test_senders(void **state _unused_) {
        Queue q = {};

        (void)add(&q, ":1.1", one, 1);
        Waiter *w = add(&q, ":1.2", one, 1);
        assert_ptr_equal(queue_of_sender(&q, ":1.2"), w);
        assert_null(queue_of_sender(&q, ":1.3"));
        empty(&q);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_first_come_first_served),
                cmocka_unit_test(test_pools),
                cmocka_unit_test(test_bound),
                cmocka_unit_test(test_senders),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
