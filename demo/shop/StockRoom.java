package demo.shop;

import java.util.concurrent.locks.ReentrantLock;

/**
 * The stock.  The lock held too long, second kind: a ReentrantLock, where
 * waiting threads are parked and no monitor is involved.
 */
final class StockRoom {

    private static final long SLOW_SHELF_MILLIS = 25;

    private final ReentrantLock door = new ReentrantLock();
    private final int[] reservations = new int[Catalogue.ITEMS];
    private final Trouble trouble;
    private long reserved;

    StockRoom(Trouble trouble) {
        this.trouble = trouble;
    }

    void reserve(int item) {
        door.lock();   // trouble: block

        try {
            if (trouble.now(Trouble.Kind.LOCK)) {
                Trouble.pause(SLOW_SHELF_MILLIS);
            }

            reservations[item]++;
            reserved++;

        } finally {
            door.unlock();
        }
    }

    long reserved() {
        door.lock();

        try {
            return reserved;

        } finally {
            door.unlock();
        }
    }
}
