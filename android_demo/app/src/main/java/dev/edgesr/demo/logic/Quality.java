package dev.edgesr.demo.logic;

import edgesr.runtime.ProgramInfo;
import edgesr.runtime.Route;
import edgesr.runtime.Thresholds;

/** What the user trades: how good, against how fast. In the order in which the screen lists them. */
public enum Quality {
    /** As the program's own thresholds say. */
    AUTO {
        @Override
        public Route route(ProgramInfo info) {
            return Route.automatic(info);
        }
    },
    /** The cheapest variant, and no network at all where a tile is smooth. */
    FAST {
        @Override
        public Route route(ProgramInfo info) {
            return Route.byThresholds(info, new Thresholds(SMOOTH, ABOVE_ALL, ABOVE_ALL, null));
        }
    },
    /** The best variant for every tile. */
    BEST {
        @Override
        public Route route(ProgramInfo info) {
            return Route.fixed(info, info.variants.get(info.variants.size() - 1));
        }
    };

    /** Complexity below which interpolation alone is taken: skies, walls, what is out of focus. */
    static final double SMOOTH = 4;

    /** Complexity ends at 500. */
    private static final double ABOVE_ALL = 1000;

    public abstract Route route(ProgramInfo info);
}
