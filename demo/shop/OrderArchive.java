package demo.shop;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Orders of the past.  The filling heap: every order is kept with its papers,
 * far more than anyone reads.  The archive holds a fixed number of orders, so
 * that the heap fills and stays full but never runs out.
 */
final class OrderArchive {

    private static final int PAPERS = 16 * 1024;
    private static final int LIMIT = 3_000;

    private final Deque<byte[]> orders = new ArrayDeque<>(LIMIT + 1);

    void keep(int count) {
        for (int i = 0; i < count; i++) {
            byte[] papers = new byte[PAPERS];   // trouble: heap

            papers[0] = (byte) i;
            add(papers);
        }
    }

    private synchronized void add(byte[] papers) {
        orders.addLast(papers);

        if (orders.size() > LIMIT) {
            orders.removeFirst();
        }
    }

    synchronized int size() {
        return orders.size();
    }
}
