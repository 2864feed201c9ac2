package demo.shop;

import java.util.HashMap;
import java.util.Map;

/** What is for sale. */
final class Catalogue {

    static final int ITEMS = 500;

    private final Map<String, Integer> items = new HashMap<>();

    Catalogue() {
        for (int i = 0; i < ITEMS; i++) {
            items.put("item-" + i, i);
        }
    }

    int find(int turn) {
        return items.getOrDefault("item-" + turn % ITEMS, 0);
    }
}
