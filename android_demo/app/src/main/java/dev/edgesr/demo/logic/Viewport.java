package dev.edgesr.demo.logic;

/**
 * Which part of a picture a view shows, and where the divider between before and after stands. Lengths are
 * the view's pixels, but for {@link #visible}.
 */
public final class Viewport {
    /** Of one picture pixel, at most. */
    private static final float LARGEST = 8;

    private final float pictureWidth;
    private final float pictureHeight;
    private float width = 1;
    private float height = 1;
    private float scale = 1;
    private float left;
    private float top;
    private float divider = 0.5f;

    /** Of a picture of so many pixels; what is shown is set by {@link #resize}. */
    public Viewport(int pictureWidth, int pictureHeight) {
        this.pictureWidth = pictureWidth;
        this.pictureHeight = pictureHeight;
    }

    /** The view has a new size: the whole picture is shown. */
    public void resize(int width, int height) {
        this.width = Math.max(1, width);
        this.height = Math.max(1, height);
        showAll();
    }

    public void showAll() {
        scale = fitting();
        settle();
    }

    /** The scale at which the whole picture just fits. */
    private float fitting() {
        return Math.min(width / pictureWidth, height / pictureHeight);
    }

    public float pictureWidth() {
        return pictureWidth;
    }

    public float pictureHeight() {
        return pictureHeight;
    }

    /** Whether less than the whole picture is shown. */
    public boolean isZoomed() {
        return scale > fitting();
    }

    /** View pixels per picture pixel. */
    public float scale() {
        return scale;
    }

    /** Where the picture's left edge is. */
    public float left() {
        return left;
    }

    /** Where the picture's upper edge is. */
    public float top() {
        return top;
    }

    /** Enlarges what is shown, keeping the point where it is. */
    public void zoom(float factor, float x, float y) {
        float largest = Math.max(LARGEST, fitting());
        float next = Math.max(fitting(), Math.min(largest, scale * factor));
        left = x - (x - left) * next / scale;
        top = y - (y - top) * next / scale;
        scale = next;
        settle();
    }

    public void pan(float dx, float dy) {
        left += dx;
        top += dy;
        settle();
    }

    /** A picture smaller than the view stands in its middle; a larger one fills it. */
    private void settle() {
        left = settled(left, pictureWidth * scale, width);
        top = settled(top, pictureHeight * scale, height);
    }

    private static float settled(float start, float length, float room) {
        return length <= room ? (room - length) / 2 : Math.min(0, Math.max(room - length, start));
    }

    /** The part that is shown, in picture pixels: left, top, right, bottom; never empty. */
    public int[] visible() {
        int x = (int) Math.max(0, Math.floor(-left / scale));
        int y = (int) Math.max(0, Math.floor(-top / scale));
        int right = (int) Math.min(pictureWidth, Math.ceil((width - left) / scale));
        int bottom = (int) Math.min(pictureHeight, Math.ceil((height - top) / scale));
        return new int[] {x, y, Math.max(x + 1, right), Math.max(y + 1, bottom)};
    }

    /** Of how many picture pixels a side one is enough at a scale: a power of two. */
    public static int sampling(float scale) {
        int step = 1;
        while (step * 2 * scale <= 1) {
            step *= 2;
        }
        return step;
    }

    /** Where the divider is, 0 (all after) to 1 (all before), of the part of the picture that is seen. */
    public float divider() {
        return divider;
    }

    public void setDivider(float divider) {
        this.divider = Math.max(0, Math.min(1, divider));
    }

    public float dividerX() {
        float from = Math.max(0, left);
        return from + divider * (Math.min(width, left + pictureWidth * scale) - from);
    }

    /** Moves the divider to a point of the view. */
    public void dragDividerTo(float x) {
        float from = Math.max(0, left);
        float to = Math.min(width, left + pictureWidth * scale);
        setDivider((x - from) / Math.max(1, to - from));
    }

    /** Whether a finger that comes down here means the divider. */
    public boolean grabsDivider(float x, float reach) {
        return Math.abs(x - dividerX()) <= reach;
    }
}
