package demo.shop;

import java.util.concurrent.atomic.AtomicLong;

/** Prices.  The CPU chaos: every rule is applied to every item, for ever. */
final class PriceRules {

    private static final int ROUNDS = 5_000_000;

    private final AtomicLong lists = new AtomicLong();
    private volatile long checksum;

    long priceOf(int item) {
        return 100 + item;
    }

    /** Burns one core for some milliseconds and allocates nothing. */
    void recalculate() {
        long price = 88_172_645_463_325_252L;

        for (int i = 0; i < ROUNDS; i++) {
            price ^= price << 13;
            price ^= price >>> 7;   // trouble: cpu
            price ^= price << 17;
        }

        checksum = price;
        lists.incrementAndGet();
    }

    long lists() {
        return lists.get();
    }
}
