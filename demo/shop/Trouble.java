package demo.shop;

/**
 * What goes wrong, and when.  With "all" the three kinds take turns, so that
 * each has been there once within twelve seconds.
 */
final class Trouble {

    enum Kind {
        CPU, HEAP, LOCK
    }

    private static final Kind[] TURNS = Kind.values();
    private static final long TURN_NANOS = 4_000_000_000L;

    private final Kind only;
    private long opened;
    private volatile boolean open;

    private Trouble(Kind only) {
        this.only = only;
    }

    static Trouble parse(String name) {
        switch (name) {
        case "all":
            return new Trouble(null);
        case "cpu":
            return new Trouble(Kind.CPU);
        case "heap":
            return new Trouble(Kind.HEAP);
        case "lock":
            return new Trouble(Kind.LOCK);
        default:
            return null;
        }
    }

    void start() {
        opened = System.nanoTime();
        open = true;
    }

    boolean open() {
        return open;
    }

    boolean now(Kind kind) {
        return current() == kind;
    }

    private Kind current() {
        if (only != null) {
            return only;
        }

        long turn = (System.nanoTime() - opened) / TURN_NANOS;

        return TURNS[(int) (turn % TURNS.length)];
    }

    /** Says which trouble begins, and closes the shop after the given time. */
    void announceUntil(int seconds) {
        long end = opened + seconds * 1_000_000_000L;
        Kind last = null;

        while (System.nanoTime() - end < 0) {
            Kind kind = current();

            if (kind != last) {
                System.out.println("shop: trouble is now " + kind);
                last = kind;
            }

            pause(50);
        }

        open = false;
    }

    static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
