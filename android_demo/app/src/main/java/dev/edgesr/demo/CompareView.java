package dev.edgesr.demo;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.graphics.RectF;
import android.os.Bundle;
import android.util.AttributeSet;
import android.view.KeyEvent;
import android.view.MotionEvent;
import android.view.View;
import android.view.accessibility.AccessibilityEvent;
import android.view.accessibility.AccessibilityNodeInfo;
import android.widget.SeekBar;
import dev.edgesr.demo.logic.Viewport;
import java.io.File;

/** Two pictures of the same scene, one to the left of a divider and one to its right; can be zoomed. */
public final class CompareView extends View implements LayerLoader.Listener {
    private static final float KEY_STEP = 0.05f;
    private static final int SETTLE_MS = 120;

    private final Paint line = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final float thickness;
    private final float knob;
    private final CompareGestures gestures;
    private final Runnable sharpen = this::sharpenNow;
    private LayerLoader loader;
    private PictureLayer before;
    private PictureLayer after;
    private Viewport viewport;

    public CompareView(Context context, AttributeSet attributes) {
        super(context, attributes);
        line.setColor(context.getColor(R.color.divider));
        thickness = getResources().getDimension(R.dimen.divider_thickness);
        knob = getResources().getDimension(R.dimen.divider_knob);
        gestures = new CompareGestures(context, getResources().getDimension(R.dimen.divider_reach), this::moved);
        setFocusable(true);
    }

    /** Shows two pictures, or one where {@code afterFile} is null. */
    void show(File beforeFile, File afterFile) {
        if (loader == null) {
            loader = new LayerLoader(getResources(), this);
        }
        loader.open(beforeFile, afterFile);
    }

    @Override
    public void opened(PictureLayer first, PictureLayer second) {
        before = first;
        after = second;
        PictureLayer larger = second == null ? first : second;
        viewport = larger == null ? null : new Viewport(larger.width(), larger.height());
        gestures.setViewport(viewport, second != null);
        fit();
    }

    @Override
    public void sharpened() {
        invalidate();
    }

    @Override
    protected void onSizeChanged(int width, int height, int oldWidth, int oldHeight) {
        fit();
    }

    private void fit() {
        if (viewport != null && getWidth() > 0) {
            viewport.resize(getWidth(), getHeight());
            moved();
        }
        invalidate();
    }

    private void moved() {
        invalidate();
        removeCallbacks(sharpen);
        postDelayed(sharpen, SETTLE_MS);
    }

    private void sharpenNow() {
        if (loader == null || viewport == null) {
            return;
        }
        float across = viewport.pictureWidth();
        float down = viewport.pictureHeight();
        int[] seen = viewport.visible();
        loader.sharpen(
                new RectF(seen[0] / across, seen[1] / down, seen[2] / across, seen[3] / down), viewport.scale());
    }

    @Override
    protected void onDraw(Canvas canvas) {
        if (viewport == null) {
            return;
        }
        RectF whole = new RectF(
                viewport.left(), viewport.top(),
                viewport.left() + viewport.pictureWidth() * viewport.scale(),
                viewport.top() + viewport.pictureHeight() * viewport.scale());
        if (after == null) {
            before.draw(canvas, whole);
            return;
        }
        float x = viewport.dividerX();
        drawClipped(canvas, before, whole, 0, x);
        drawClipped(canvas, after, whole, x, getWidth());
        canvas.drawRect(x - thickness / 2, 0, x + thickness / 2, getHeight(), line);
        canvas.drawCircle(x, getHeight() / 2f, knob / 2, line);
    }

    private void drawClipped(Canvas canvas, PictureLayer layer, RectF whole, float from, float to) {
        canvas.save();
        canvas.clipRect(from, 0, to, getHeight());
        layer.draw(canvas, whole);
        canvas.restore();
    }

    @Override
    public boolean onTouchEvent(MotionEvent event) {
        return viewport != null && gestures.onTouch(this, event);
    }

    @Override
    public boolean performClick() {
        return super.performClick();
    }

    @Override
    public boolean onKeyDown(int key, KeyEvent event) {
        if (key == KeyEvent.KEYCODE_DPAD_LEFT || key == KeyEvent.KEYCODE_DPAD_RIGHT) {
            return stepDivider(key == KeyEvent.KEYCODE_DPAD_LEFT ? -KEY_STEP : KEY_STEP);
        }
        return super.onKeyDown(key, event);
    }

    private boolean stepDivider(float step) {
        if (after == null) {
            return false;
        }
        viewport.setDivider(viewport.divider() + step);
        invalidate();
        sendAccessibilityEvent(AccessibilityEvent.TYPE_VIEW_SELECTED);
        return true;
    }

    /** Screen readers take the divider for a slider. */
    @Override
    public void onInitializeAccessibilityNodeInfo(AccessibilityNodeInfo node) {
        super.onInitializeAccessibilityNodeInfo(node);
        node.setClassName(SeekBar.class.getName());
        if (after != null) {
            node.addAction(AccessibilityNodeInfo.AccessibilityAction.ACTION_SCROLL_FORWARD);
            node.addAction(AccessibilityNodeInfo.AccessibilityAction.ACTION_SCROLL_BACKWARD);
            node.setRangeInfo(AccessibilityNodeInfo.RangeInfo.obtain(
                    AccessibilityNodeInfo.RangeInfo.RANGE_TYPE_PERCENT, 0, 100, viewport.divider() * 100));
        }
    }

    @Override
    public boolean performAccessibilityAction(int action, Bundle arguments) {
        if (action == AccessibilityNodeInfo.ACTION_SCROLL_FORWARD && stepDivider(KEY_STEP)) {
            return true;
        }
        if (action == AccessibilityNodeInfo.ACTION_SCROLL_BACKWARD && stepDivider(-KEY_STEP)) {
            return true;
        }
        return super.performAccessibilityAction(action, arguments);
    }

    @Override
    protected void onDetachedFromWindow() {
        removeCallbacks(sharpen);
        if (loader != null) {
            loader.close();
            loader = null;
        }
        super.onDetachedFromWindow();
    }
}
