package demo.shop;

/**
 * The only till.  The lock held too long, first kind: the payment service is
 * asked while the monitor is held, and every other visitor waits for it.
 */
final class Till {

    private static final long SLOW_PAYMENT_MILLIS = 25;

    private final Object drawer = new Object();
    private final Trouble trouble;
    private long paid;
    private long total;

    Till(Trouble trouble) {
        this.trouble = trouble;
    }

    void pay(long amount) {
        synchronized (drawer) {   // trouble: mutex
            if (trouble.now(Trouble.Kind.LOCK)) {
                Trouble.pause(SLOW_PAYMENT_MILLIS);
            }

            total += amount;
            paid++;
        }
    }

    long paid() {
        synchronized (drawer) {
            return paid;
        }
    }
}
