package demo.shop;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A small shop that has troubles on purpose.
 *
 * <p>Visitors browse and pay, porters fetch items from the stock, which costs
 * next to nothing.  Now and then one of three things goes wrong: the price
 * rules burn CPU, the order archive fills the heap, or two locks are held too
 * long.
 *
 * <p>Usage: {@code java demo.shop.Shop [all|cpu|heap|lock] [seconds]}
 */
public final class Shop {

    private static final int VISITORS = 4;
    private static final int PORTERS = 4;
    private static final int REPRICERS = 2;

    private final Trouble trouble;
    private final Catalogue catalogue = new Catalogue();
    private final PriceRules rules = new PriceRules();
    private final OrderArchive archive = new OrderArchive();
    private final Till till;
    private final StockRoom stock;

    private Shop(Trouble trouble) {
        this.trouble = trouble;
        this.till = new Till(trouble);
        this.stock = new StockRoom(trouble);
    }

    public static void main(String[] args) throws InterruptedException {
        String which = args.length > 0 ? args[0] : "all";
        int seconds = args.length > 1 ? Integer.parseInt(args[1]) : 35;

        Trouble trouble = Trouble.parse(which.toLowerCase(Locale.ROOT));
        if (trouble == null || seconds < 1) {
            System.err.println("usage: Shop [all|cpu|heap|lock] [seconds]");
            System.exit(2);
        }

        new Shop(trouble).open(seconds);
    }

    private void open(int seconds) throws InterruptedException {
        List<Thread> staff = new ArrayList<>();

        for (int i = 0; i < VISITORS; i++) {
            staff.add(new Thread(this::visit, "visitor-" + i));
        }

        for (int i = 0; i < PORTERS; i++) {
            staff.add(new Thread(this::fetch, "porter-" + i));
        }

        for (int i = 0; i < REPRICERS; i++) {
            staff.add(new Thread(this::reprice, "repricer-" + i));
        }

        staff.add(new Thread(this::archiveOrders, "archivist"));

        trouble.start();

        for (Thread thread : staff) {
            thread.start();
        }

        trouble.announceUntil(seconds);

        for (Thread thread : staff) {
            thread.join();
        }

        System.out.printf(Locale.ROOT,
                "shop: closed after %d s, %d orders paid, %d items reserved, "
                + "%d orders in the archive, %d price lists%n",
                seconds, till.paid(), stock.reserved(), archive.size(),
                rules.lists());
    }

    private void visit() {
        for (int turn = 0; trouble.open(); turn++) {
            till.pay(rules.priceOf(catalogue.find(turn)));
            Trouble.pause(5);
        }
    }

    private void fetch() {
        for (int turn = 0; trouble.open(); turn++) {
            stock.reserve(catalogue.find(turn));
            Trouble.pause(5);
        }
    }

    private void reprice() {
        while (trouble.open()) {
            if (trouble.now(Trouble.Kind.CPU)) {
                rules.recalculate();
            } else {
                Trouble.pause(20);
            }
        }
    }

    private void archiveOrders() {
        while (trouble.open()) {
            if (trouble.now(Trouble.Kind.HEAP)) {
                archive.keep(40);
            }

            Trouble.pause(10);
        }
    }
}
