package dev.edgesr.demo.logic;

import java.text.NumberFormat;
import java.util.Locale;
import java.util.Map;

/** Figures as a person of some country reads them; units are the strings' business. */
public final class Numbers {
    private final NumberFormat whole;
    private final NumberFormat tenths;

    public Numbers(Locale locale) {
        whole = NumberFormat.getIntegerInstance(locale);
        tenths = NumberFormat.getNumberInstance(locale);
        tenths.setMinimumFractionDigits(1);
        tenths.setMaximumFractionDigits(1);
    }

    public String whole(long value) {
        return whole.format(value);
    }

    public String tenths(double value) {
        return tenths.format(value);
    }

    /** Nanoseconds, as whole milliseconds. */
    public String milliseconds(long nanoseconds) {
        return whole.format(Math.round(nanoseconds / 1e6));
    }

    /** Bytes, as whole mebibytes. */
    public String mebibytes(long bytes) {
        return whole.format(Math.round(bytes / 1048576.0));
    }

    /** Pixels, as megapixels. */
    public String megapixels(long pixels) {
        return tenths.format(pixels / 1e6);
    }

    /** "skip 3, high 12". */
    public String tiles(Map<String, Integer> tiles) {
        StringBuilder text = new StringBuilder();
        for (Map.Entry<String, Integer> route : tiles.entrySet()) {
            text.append(text.length() == 0 ? "" : ", ");
            text.append(route.getKey()).append(' ').append(whole(route.getValue()));
        }
        return text.toString();
    }
}
