package dev.edgesr.demo;

import android.content.Context;
import android.view.GestureDetector;
import android.view.MotionEvent;
import android.view.ScaleGestureDetector;
import android.view.View;
import dev.edgesr.demo.logic.Viewport;

/** One finger on the divider moves it, elsewhere the picture; two zoom; two taps zoom in, or out again. */
final class CompareGestures {
    private static final float TAP_ZOOM = 3;

    private final GestureDetector fingers;
    private final ScaleGestureDetector pinch;
    private final float reach;
    private final Runnable moved;
    private Viewport viewport;
    private boolean hasDivider;
    private boolean dragsDivider;

    /** {@code reach}: how near to the divider, in pixels, a finger means it. */
    CompareGestures(Context context, float reach, Runnable moved) {
        this.reach = reach;
        this.moved = moved;
        fingers = new GestureDetector(context, new Fingers());
        pinch = new ScaleGestureDetector(context, new Pinch());
    }

    /** {@code viewport} is null where nothing is shown. */
    void setViewport(Viewport viewport, boolean hasDivider) {
        this.viewport = viewport;
        this.hasDivider = hasDivider;
    }

    boolean onTouch(View view, MotionEvent event) {
        if (event.getActionMasked() == MotionEvent.ACTION_DOWN) {
            dragsDivider = hasDivider && viewport.grabsDivider(event.getX(), reach);
            view.getParent().requestDisallowInterceptTouchEvent(true);
        } else if (event.getActionMasked() == MotionEvent.ACTION_UP) {
            view.performClick();
        }
        if (dragsDivider && event.getPointerCount() == 1) {
            viewport.dragDividerTo(event.getX());
            view.invalidate();
            return true;
        }
        pinch.onTouchEvent(event);
        fingers.onTouchEvent(event);
        return true;
    }

    private final class Fingers extends GestureDetector.SimpleOnGestureListener {
        @Override
        public boolean onDown(MotionEvent event) {
            return true;
        }

        @Override
        public boolean onScroll(MotionEvent first, MotionEvent now, float dx, float dy) {
            viewport.pan(-dx, -dy);
            moved.run();
            return true;
        }

        @Override
        public boolean onDoubleTap(MotionEvent event) {
            if (viewport.isZoomed()) {
                viewport.showAll();
            } else {
                viewport.zoom(TAP_ZOOM, event.getX(), event.getY());
            }
            moved.run();
            return true;
        }
    }

    private final class Pinch extends ScaleGestureDetector.SimpleOnScaleGestureListener {
        @Override
        public boolean onScale(ScaleGestureDetector detector) {
            viewport.zoom(detector.getScaleFactor(), detector.getFocusX(), detector.getFocusY());
            moved.run();
            return true;
        }
    }
}
