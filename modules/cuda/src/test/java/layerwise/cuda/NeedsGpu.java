package layerwise.cuda;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Tests that need a CUDA device; elsewhere they are skipped, and say what is missing. */
@Tag("gpu")
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(NeedsGpu.Condition.class)
public @interface NeedsGpu {
    /** Asks for the devices once a class. */
    final class Condition implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            try {
                int count = DeviceInfo.count();
                return count > 0
                        ? ConditionEvaluationResult.enabled(count + " devices")
                        : ConditionEvaluationResult.disabled("the driver shows no device");
            } catch (DeviceUnavailableException e) {
                return ConditionEvaluationResult.disabled(e.getMessage());
            }
        }
    }
}
