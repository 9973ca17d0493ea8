/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdio.h>

#include "watchdog/queue.h"

static const char *const one[] = { "a", NULL };
static const char *const two[] = { "b", NULL };
static const char *const pool[] = { "a", "b", NULL };

static Waiter *add(Queue *queue, const char *sender, const char *const *machines, uint64_t deadline) {
        Waiter *w = waiter_new(sender, machines[0], machines, NULL, NULL, deadline, NULL);

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
        assert_ptr_equal(queue_first(&q, "a", false), first);
        assert_ptr_equal(queue_first(&q, "b", false), other);
        assert_null(queue_first(&q, "c", false));
        assert_int_equal(queue_deadline(&q), 10);
        waiter_free(queue_remove(&q, first));
        assert_ptr_equal(queue_first(&q, "a", false), second);
        /* Put back, it is first again. */
        waiter_free(queue_remove(&q, other));
        Waiter *late = add(&q, ":1.4", one, 5);
        queue_serve(&q, late);
        assert_ptr_equal(queue_first(&q, "a", false), second);
        assert_int_equal(queue_count(&q, "a"), 1);
        queue_put_back(&q, late);
        assert_ptr_equal(queue_first(&q, "a", false), late);
        assert_int_equal(queue_count(&q, "a"), 2);
        empty(&q);
        assert_int_equal(queue_deadline(&q), USEC_INFINITY);
}

static void test_pools(void **state _unused_) {
        Queue q = {};

        Waiter *w = add(&q, ":1.1", pool, 1);
        assert_ptr_equal(queue_first(&q, "a", false), w);
        assert_ptr_equal(queue_first(&q, "b", false), w);
        assert_int_equal(queue_count(&q, "b"), 1);
        empty(&q);
}

static void test_bound(void **state _unused_) {
        Queue q = {};

        for (int i = 0; i < 3; i++)
                (void)add(&q, ":1.1", one, 1);
        Waiter *late = waiter_new(":1.2", "a", one, NULL, NULL, 1, NULL);
        assert_int_equal(queue_add(&q, late, 3), -EBUSY);
        waiter_free(late);
        /* A pool is full when all of it is. */
        Waiter *w = add(&q, ":1.3", pool, 1);
        assert_ptr_equal(queue_first(&q, "b", false), w);
        (void)add(&q, ":1.4", two, 1);
        (void)add(&q, ":1.4", two, 1);
        late = waiter_new(":1.5", "pool", pool, NULL, NULL, 1, NULL);
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

static Waiter *add_from(Queue *queue, const char *nick, const char *channel) {
        Waiter *w = waiter_new(":1.1", "a", one, nick, channel, 1, NULL);

        assert_non_null(w);
        assert_int_equal(queue_add(queue, w, 100), 0);
        return w;
}

/* Serves whose turn it is, and says who that was. */
static Waiter *serve(Queue *queue) {
        Waiter *w = queue_first(queue, "a", false);

        assert_non_null(w);
        queue_serve(queue, w);
        return w;
}

static void end(Queue *queue, Waiter *waiter) {
        waiter_free(queue_remove(queue, waiter));
}

/* Who has a lease, or an earlier place, comes after those who do not. */
static void test_fair_by_nick(void **state _unused_) {
        Queue q = {};

        Waiter *first = add_from(&q, "joe", "#a"), *second = add_from(&q, "joe", "#a"),
               *third = add_from(&q, "joe", "#a"), *ann = add_from(&q, "ann", "#a");
        assert_ptr_equal(serve(&q), first);
        assert_ptr_equal(queue_first(&q, "a", false), ann);
        /* A pool serves more than one at once. */
        assert_ptr_equal(serve(&q), ann);
        assert_ptr_equal(queue_first(&q, "a", false), second);
        /* She comes again, and has a lease as he has; his came earlier. */
        Waiter *again = add_from(&q, "ann", "#a");
        end(&q, first);
        end(&q, ann);
        assert_ptr_equal(serve(&q), second);
        assert_ptr_equal(serve(&q), again);
        /* Whoever is new goes before his third, and what he asks for later comes after it. */
        Waiter *bob = add_from(&q, "bob", "#a"), *fourth = add_from(&q, "joe", "#a");
        assert_ptr_equal(serve(&q), bob);
        assert_ptr_equal(serve(&q), third);
        assert_ptr_equal(serve(&q), fourth);
        Waiter *all[] = { second, again, bob, third, fourth };
        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                end(&q, all[i]);
        assert_null(q.served);
        empty(&q);
}

/* The machine serves one at a time: his lease has ended when the next has his turn, and still it is hers. */
static void test_fair_one_at_a_time(void **state _unused_) {
        Queue q = {};

        end(&q, (add_from(&q, "joe", "#a"), serve(&q)));
        (void)add_from(&q, "joe", "#a");
        Waiter *holds = serve(&q), *next = add_from(&q, "joe", "#a"), *ann = add_from(&q, "ann", "#a");
        end(&q, holds);
        assert_ptr_equal(serve(&q), ann);
        end(&q, ann);
        assert_ptr_equal(serve(&q), next);
        end(&q, next);
        /* What was long ago counts no more. */
        assert_int_equal(add_from(&q, "joe", "#a")->nick_rank, 0);
        empty(&q);
}

/* Twenty people of one channel queue; one of another is served second. */
static void test_fair_by_channel(void **state _unused_) {
        Queue q = {};
        char nick[8];
        Waiter *of_a[20];

        for (int i = 0; i < 20; i++) {
                snprintf(nick, sizeof(nick), "nick%i", i);
                of_a[i] = add_from(&q, nick, "#a");
        }
        Waiter *of_b = add_from(&q, "ann", "#b");
        assert_ptr_equal(serve(&q), of_a[0]);
        assert_ptr_equal(serve(&q), of_b);
        end(&q, of_a[0]);
        end(&q, of_b);
        for (int i = 1; i < 20; i++) {
                assert_ptr_equal(serve(&q), of_a[i]);
                end(&q, of_a[i]);
        }
        assert_null(q.first);
}

static void test_three_of_a_nick(void **state _unused_) {
        Queue q = {};

        for (int i = 0; i < QUEUE_NICK_MAX; i++)
                (void)add_from(&q, "joe", "#a");
        Waiter *late = waiter_new(":1.1", "a", one, "joe", "#b", 1, NULL);
        assert_int_equal(queue_add(&q, late, 100), -EBUSY);
        /* One who is served does not wait. */
        Waiter *served = serve(&q);
        assert_int_equal(queue_add(&q, late, 100), 0);
        end(&q, served);
        /* Who does not say who he is stands behind nobody. */
        for (int i = 0; i < 20; i++)
                (void)add_from(&q, i % 2 ? "" : NULL, NULL);
        assert_int_equal(q.last->nick_rank, 0);
        assert_int_equal(q.last->channel_rank, 0);
        empty(&q);
}

/* One who leaves from the middle gives his place to those behind. */
static void test_places_stay_right(void **state _unused_) {
        Queue q = {};

        Waiter *a = add_from(&q, "joe", "#a"), *b = add_from(&q, "joe", "#a"),
               *c = add_from(&q, "joe", "#b");
        Waiter *d = add_from(&q, "ann", "#a");
        assert_int_equal(c->nick_rank, 2);
        assert_int_equal(d->channel_rank, 2);
        end(&q, b);
        assert_int_equal(a->nick_rank, 0);
        assert_int_equal(c->nick_rank, 1);
        assert_int_equal(d->channel_rank, 1);
        empty(&q);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_first_come_first_served),
                cmocka_unit_test(test_pools),
                cmocka_unit_test(test_bound),
                cmocka_unit_test(test_senders),
                cmocka_unit_test(test_fair_by_nick),
                cmocka_unit_test(test_fair_one_at_a_time),
                cmocka_unit_test(test_fair_by_channel),
                cmocka_unit_test(test_three_of_a_nick),
                cmocka_unit_test(test_places_stay_right),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
