package edgesr.runtime;

/**
 * How tiles are routed by their complexity: below {@code skip} one is enlarged without the network, else below
 * {@code low} it goes to the variant "low", above {@code high} to "high", else to "mid". {@code low <= high};
 * {@code skip} is 0, for none, or no more than {@code low}.
 */
public final class Thresholds {
    public final double skip;
    public final double low;
    public final double high;

    /** Mean squared difference to the best variant, in grey levels, that was accepted; null where none was. */
    public final Double error;

    public Thresholds(double skip, double low, double high, Double error) {
        this.skip = skip;
        this.low = low;
        this.high = high;
        this.error = error;
    }
}
